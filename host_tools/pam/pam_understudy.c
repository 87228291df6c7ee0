/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors
 *
 * pam_understudy.so: asks the broker (understudyd) whether a user needs a one-time code, and whether the one
 * typed is right. All policy and all texts are the broker's; here are neither secrets nor cryptography.
 *
 *     auth     required  pam_understudy.so  [socket=PATH] [timeout=SECONDS] [enrol] [debug]
 *     account  required  pam_understudy.so  [socket=PATH] [timeout=SECONDS] [debug]
 *
 * socket   the broker's, /run/understudy/broker.sock
 * timeout  1 to 60, 15: how long one login may wait for the broker, all its questions together
 * enrol    only behind a module that asks for a first factor: a user who has to enrol is shown a secret here
 * debug    tell syslog each reply's status */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stddef.h>
#include <syslog.h>

#include "conf.h"
#include "login.h"

#define EXPORTED __attribute__((visibility("default")))

/* The arguments, or false after telling syslog which one is refused. */
static bool configure(pam_handle_t *pamh, struct conf *conf, int argc, const char **argv)
{
	const char *refused = conf_read(conf, argc, argv);

	if (refused != NULL)
		pam_syslog(pamh, LOG_ERR, "argument refused: %s", refused);
	return refused == NULL;
}

EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct conf conf;

	return configure(pamh, &conf, argc, argv) ? login_code(pamh, flags, &conf) : PAM_SERVICE_ERR;
}

EXPORTED int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct conf conf;

	return configure(pamh, &conf, argc, argv) ? login_account(pamh, flags, &conf) : PAM_SERVICE_ERR;
}

/* A code leaves nothing behind that could be given to the user's processes. */
EXPORTED int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}
