/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors
 *
 * Requests to the broker and its replies, as host_tools/understudy/broker/messages.py describes them: lines
 * of UTF-8, first `understudy/1 WORD`, then `name value` each, then an empty one. Nothing here allocates. */
#ifndef UNDERSTUDY_MESSAGE_H
#define UNDERSTUDY_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

/* In bytes, without NUL or LF. */
enum {
	REQUEST_MAX = 4096,
	REPLY_MAX = 16384,
	LINE_MAX_SIZE = 1023,
	ID_SIZE = 16,
	USER_MAX = 256,    /* LOGIN_NAME_MAX, limits.h */
	SERVICE_MAX = 64,
	TTY_MAX = 128,
	RHOST_MAX = 255,   /* a host name in the DNS, RFC 1035 2.3.4 */
	ANSWER_MAX = 512,  /* PAM_MAX_RESP_SIZE */
	STAGE_MAX = LINE_MAX_SIZE - (int)sizeof "stage",
	WORD_MAX = 32,
};

struct request {
	const char *word; /* "login" or "account" */
	unsigned char id[ID_SIZE];
	const char *user;
	const char *service;
	const char *tty;   /* or NULL */
	const char *rhost; /* or NULL */
	const char *stage; /* with answer, or both NULL */
	const char *answer;
	bool enrol;
};

struct reply {
	char bytes[REPLY_MAX];
	size_t size;  /* of the message in `bytes` */
	size_t dirty; /* how much of `bytes` was ever written to */
	/* Set by message_parse: NUL-terminated, within `bytes`. */
	const char *status;
	const char *prompt, *stage; /* all three there exactly when status is "prompt" */
	bool echo;
	size_t next; /* where message_next_text goes on */
};

/* Whether `text` has at most `max` bytes, all of them UTF-8 without control characters (below 0x20, 0x7f). */
bool message_text_ok(const char *text, size_t max);

/* Write the request, not terminated, to `out`; its size. 0 if a value can't be sent. */
size_t message_write(const struct request *request, int within_ms, char out[static REQUEST_MAX]);

/* Where a message that begins at `bytes` ends, behind its empty line; 0 if it has not come to its end.
 * The first `seen` bytes were looked at before. */
size_t message_end(const char *bytes, size_t size, size_t seen);

/* Take apart the `size` bytes that have come. False if they are not one whole, correct reply. */
bool message_parse(struct reply *reply);

/* The next text to show, lines of one kind that follow each other joined by LF; NULL after the last. */
const char *message_next_text(struct reply *reply, bool *is_error);

/* The PAM code for a reply's status; PAM_SYSTEM_ERR for one that is no final status. */
int message_pam_code(const char *status);

#endif
