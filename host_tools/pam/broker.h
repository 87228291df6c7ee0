/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors
 *
 * One question to the broker, and its reply, by a deadline. */
#ifndef UNDERSTUDY_BROKER_H
#define UNDERSTUDY_BROKER_H

#include <security/pam_modules.h>

#include "conf.h"
#include "message.h"

enum outcome {
	BROKER_ANSWERED,
	BROKER_ABSENT,      /* nobody listens at the socket */
	BROKER_LATE,        /* the time is up */
	BROKER_UNREACHABLE, /* the system refuses */
	BROKER_STRANGER,    /* what listens there is not to be trusted */
	BROKER_GARBLED,     /* what came is no reply */
};

/* Ask, and ask again under the same id for as long as connections are lost, until `*left_ms` have passed,
 * which is then counted down. The request's id is drawn here. The reply has not been taken apart when it is
 * garbled. What goes wrong is told to syslog, without any of the message's values. */
enum outcome broker_ask(pam_handle_t *pamh, const struct conf *conf, int *left_ms, struct request *request,
			struct reply *reply);

#endif
