/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors
 *
 * Made by `make pam-statuses` from protocol.STATUSES: what each final status means to PAM. */
#ifndef UNDERSTUDY_STATUSES_H
#define UNDERSTUDY_STATUSES_H

#include <security/_pam_types.h>

#define TEXT_MALFORMED "That is not a code; type the digits that the authenticator shows."
#define TEXT_NO_BROKER "The broker does not run."

static const struct {
	char word[17];
	int code;
} STATUSES[] = {
	{"ok", PAM_AUTHINFO_UNAVAIL},
	{"accepted", PAM_SUCCESS},
	{"rejected", PAM_AUTH_ERR},
	{"replayed", PAM_CRED_EXPIRED},
	{"throttled", PAM_MAXTRIES},
	{"clock-unset", PAM_CRED_UNAVAIL},
	{"sealed", PAM_AUTHINFO_UNAVAIL},
	{"unknown-user", PAM_USER_UNKNOWN},
	{"disabled", PAM_PERM_DENIED},
	{"malformed", PAM_CRED_ERR},
	{"pending", PAM_CRED_INSUFFICIENT},
	{"expired", PAM_ACCT_EXPIRED},
	{"denied", PAM_AUTHINFO_UNAVAIL},
	{"bad-request", PAM_AUTHINFO_UNAVAIL},
	{"unknown-command", PAM_AUTHINFO_UNAVAIL},
	{"exists", PAM_AUTHINFO_UNAVAIL},
	{"not-found", PAM_AUTHINFO_UNAVAIL},
	{"unclaimed", PAM_AUTHINFO_UNAVAIL},
	{"claimed", PAM_AUTHINFO_UNAVAIL},
	{"pairing-closed", PAM_AUTHINFO_UNAVAIL},
	{"last-admin", PAM_AUTHINFO_UNAVAIL},
	{"clock-refused", PAM_AUTHINFO_UNAVAIL},
	{"full", PAM_AUTHINFO_UNAVAIL},
	{"damaged", PAM_AUTHINFO_UNAVAIL},
	{"flash-failed", PAM_AUTHINFO_UNAVAIL},
	{"no-display", PAM_AUTHINFO_UNAVAIL},
	{"presence", PAM_AUTHINFO_UNAVAIL},
	{"no-session", PAM_AUTHINFO_UNAVAIL},
	{"handshake-failed", PAM_AUTHINFO_UNAVAIL},
	{"not-paired", PAM_AUTHINFO_UNAVAIL},
	{"version", PAM_AUTHINFO_UNAVAIL},
	{"no-device", PAM_AUTHINFO_UNAVAIL},
	{"port-busy", PAM_AUTHINFO_UNAVAIL},
	{"not-yours", PAM_AUTHINFO_UNAVAIL},
	{"timeout", PAM_AUTHINFO_UNAVAIL},
	{"identity", PAM_AUTHINFO_UNAVAIL},
	{"audit-broken", PAM_AUTHINFO_UNAVAIL},
	{"not-required", PAM_IGNORE},
	{"busy", PAM_AUTHINFO_UNAVAIL},
	{"no-broker", PAM_AUTHINFO_UNAVAIL},
	{"unreachable", PAM_AUTHINFO_UNAVAIL},
	{"config", PAM_SERVICE_ERR},
	{"internal", PAM_SYSTEM_ERR},
};

#endif
