/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors
 *
 * The module's arguments, as they stand behind its name in a file of /etc/pam.d. */
#ifndef UNDERSTUDY_CONF_H
#define UNDERSTUDY_CONF_H

#include <stdbool.h>

#define CONF_SOCKET "/run/understudy/broker.sock"
enum {
	CONF_TIMEOUT = 15, /* seconds */
	CONF_TIMEOUT_MAX = 60,
	CONF_SOCKET_MAX = 107, /* bytes: sun_path of sockaddr_un without its NUL, unix(7) */
};

struct conf {
	const char *socket; /* absolute; of argv or constant, nothing to free */
	int timeout;        /* seconds that all of one call's waiting for the broker may take */
	bool enrol;         /* a first factor was asked for before: who has to enrol may do so here */
	bool debug;
};

/* Fill `conf` from the arguments. NULL, or the first argument that is unknown or malformed. */
const char *conf_read(struct conf *conf, int argc, const char **argv);

#endif
