/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors
 *
 * A login, as the broker directs it: texts, prompts, the verdict. */
#ifndef UNDERSTUDY_LOGIN_H
#define UNDERSTUDY_LOGIN_H

#include <security/pam_modules.h>

#include "conf.h"

/* The verdict on the user's code, as a PAM code. `flags` as pam_sm_authenticate gets them. */
int login_code(pam_handle_t *pamh, int flags, const struct conf *conf);

/* Whether the user may log in at all, as a PAM code. `flags` as pam_sm_acct_mgmt gets them. */
int login_account(pam_handle_t *pamh, int flags, const struct conf *conf);

#endif
