/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors */
#include "message.h"

#include <security/_pam_types.h>
#include <string.h>

#include "statuses.h"

#define FIRST "understudy/1 "

struct writer {
	char *out;
	size_t size; /* REQUEST_MAX + 1 when something did not fit */
};

static bool is_control(unsigned char byte)
{
	return byte < 0x20 || byte == 0x7f;
}

/* The length in bytes of the character at `at`, at most `left`; 0 if it is none. Unicode 15, table 3-7. */
static size_t utf8_size(const unsigned char *at, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t size;

	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] <= 0xdf) {
		size = 2;
	} else if (at[0] >= 0xe0 && at[0] <= 0xef) {
		size = 3;
		if (at[0] == 0xe0)
			low = 0xa0;
		else if (at[0] == 0xed)
			high = 0x9f;
	} else if (at[0] >= 0xf0 && at[0] <= 0xf4) {
		size = 4;
		if (at[0] == 0xf0)
			low = 0x90;
		else if (at[0] == 0xf4)
			high = 0x8f;
	} else {
		return 0;
	}
	if (size > left || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
	return size;
}

static bool is_text(const char *text, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)text;

	for (size_t at = 0; at < size;) {
		size_t step = utf8_size(bytes + at, size - at);

		if (step == 0 || is_control(bytes[at]))
			return false;
		at += step;
	}
	return true;
}

bool message_text_ok(const char *text, size_t max)
{
	size_t size = strnlen(text, max + 1);

	return size <= max && is_text(text, size);
}

static void put(struct writer *to, const char *text, size_t size)
{
	if (to->size > REQUEST_MAX || size > REQUEST_MAX - to->size) {
		to->size = REQUEST_MAX + 1;
		return;
	}
	memcpy(to->out + to->size, text, size);
	to->size += size;
}

static void put_text(struct writer *to, const char *text)
{
	put(to, text, strlen(text));
}

/* A line, if there is a value. */
static void put_field(struct writer *to, const char *name, const char *value)
{
	if (value == NULL)
		return;
	put_text(to, name);
	put(to, " ", 1);
	put_text(to, value);
	put(to, "\n", 1);
}

static const char *hex(const unsigned char id[static ID_SIZE], char out[static 2 * ID_SIZE + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < ID_SIZE; i++) {
		out[2 * i] = digits[id[i] >> 4];
		out[2 * i + 1] = digits[id[i] & 15];
	}
	out[2 * ID_SIZE] = '\0';
	return out;
}

/* A number that is not negative, in decimal, at the end of `out`. */
static const char *decimal(int number, char out[static 12])
{
	char *at = out + 11;

	*at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return at;
}

static bool can_be_sent(const struct request *request)
{
	return message_text_ok(request->user, USER_MAX) && message_text_ok(request->service, SERVICE_MAX) &&
	       (request->tty == NULL || message_text_ok(request->tty, TTY_MAX)) &&
	       (request->rhost == NULL || message_text_ok(request->rhost, RHOST_MAX)) &&
	       (request->stage == NULL || message_text_ok(request->stage, STAGE_MAX)) &&
	       (request->answer == NULL || message_text_ok(request->answer, ANSWER_MAX));
}

size_t message_write(const struct request *request, int within_ms, char out[static REQUEST_MAX])
{
	struct writer to = {.out = out};
	char number[12], id[2 * ID_SIZE + 1];

	if (!can_be_sent(request) || within_ms < 1)
		return 0;
	put_text(&to, FIRST);
	put_text(&to, request->word);
	put(&to, "\n", 1);
	put_field(&to, "id", hex(request->id, id));
	put_field(&to, "user", request->user);
	put_field(&to, "service", request->service);
	put_field(&to, "tty", request->tty);
	put_field(&to, "rhost", request->rhost);
	put_field(&to, "within", decimal(within_ms, number));
	put_field(&to, "enrol", request->enrol ? "yes" : NULL);
	put_field(&to, "stage", request->stage);
	put_field(&to, "answer", request->answer);
	put(&to, "\n", 1);
	return to.size <= REQUEST_MAX ? to.size : 0;
}

size_t message_end(const char *bytes, size_t size, size_t seen)
{
	size_t from = seen > 0 ? seen - 1 : 0;
	const char *end = memmem(bytes + from, size - from, "\n\n", 2);

	return end == NULL ? 0 : (size_t)(end - bytes) + 2;
}

/* The length of the name of [a-z-] at the beginning of `text`. */
static size_t name_size(const char *text)
{
	size_t size = 0;

	while ((text[size] >= 'a' && text[size] <= 'z') || text[size] == '-')
		size++;
	return size;
}

/* The value of the line `name value` if it has this name, else NULL. */
static char *value_of(char *line, const char *name)
{
	size_t size = strlen(name);

	return strncmp(line, name, size) == 0 && line[size] == ' ' ? line + size + 1 : NULL;
}

static bool take_first(struct reply *reply, const char *line)
{
	const size_t prefix = sizeof FIRST - 1;
	size_t size;

	if (strncmp(line, FIRST, prefix) != 0)
		return false;
	reply->status = line + prefix;
	size = name_size(reply->status);
	return size > 0 && size <= WORD_MAX && reply->status[size] == '\0';
}

/* Set a field that may come once. */
static bool take_once(const char **field, const char *value)
{
	if (*field != NULL)
		return false;
	*field = value;
	return true;
}

static bool take_field(struct reply *reply, const char **echo, char *line)
{
	const char *value;
	size_t size = name_size(line);

	if (size == 0 || line[size] != ' ')
		return false;
	if ((value = value_of(line, "prompt")) != NULL)
		return take_once(&reply->prompt, value);
	if ((value = value_of(line, "stage")) != NULL)
		return take_once(&reply->stage, value);
	if ((value = value_of(line, "echo")) != NULL)
		return take_once(echo, value);
	return true; /* a text to show, or one of a newer version */
}

/* Whether there is a prompt just when there has to be one; sets `echo`. */
static bool take_prompt(struct reply *reply, const char *echo)
{
	if (strcmp(reply->status, "prompt") != 0) {
		reply->prompt = reply->stage = NULL;
		return true;
	}
	if (reply->prompt == NULL || reply->stage == NULL || echo == NULL)
		return false;
	reply->echo = strcmp(echo, "on") == 0;
	return reply->echo || strcmp(echo, "off") == 0;
}

/* The line that begins at `*at`, terminated, and go on behind it; NULL if it is none. */
static char *take_line(struct reply *reply, size_t *at)
{
	char *line = reply->bytes + *at;
	char *end = memchr(line, '\n', reply->size - *at);
	size_t size;

	if (end == NULL)
		return NULL;
	size = (size_t)(end - line);
	if (size > LINE_MAX_SIZE || !is_text(line, size))
		return NULL;
	*end = '\0';
	*at += size + 1;
	return line;
}

bool message_parse(struct reply *reply)
{
	const char *echo = NULL;
	char *line;
	size_t at = 0;

	reply->status = reply->prompt = reply->stage = NULL;
	reply->echo = false;
	if (reply->size == 0 || reply->size > REPLY_MAX ||
	    message_end(reply->bytes, reply->size, 0) != reply->size)
		return false;
	reply->size--; /* the empty line's LF: it is no field */
	line = take_line(reply, &at);
	if (line == NULL || !take_first(reply, line))
		return false;
	reply->next = at;
	while (at < reply->size) {
		line = take_line(reply, &at);
		if (line == NULL || !take_field(reply, &echo, line))
			return false;
	}
	return take_prompt(reply, echo);
}

/* The text of an `info` or `error` line, else NULL. */
static char *text_of(char *line, bool *is_error)
{
	char *text = value_of(line, "error");

	*is_error = text != NULL;
	return text != NULL ? text : value_of(line, "info");
}

const char *message_next_text(struct reply *reply, bool *is_error)
{
	char *text = NULL, *tail = NULL; /* `tail` is where the joined text ends, at its NUL */

	while (reply->next < reply->size) {
		char *line = reply->bytes + reply->next;
		size_t size = strlen(line);
		bool error;
		char *more = text_of(line, &error);

		if (text != NULL && (more == NULL || error != *is_error))
			break;
		if (more != NULL && text == NULL) {
			text = more;
			*is_error = error;
			tail = line + size;
		} else if (more != NULL && tail != NULL) {
			size_t length = size - (size_t)(more - line);

			*tail++ = '\n'; /* the name that stood here is longer */
			memmove(tail, more, length + 1);
			tail += length;
		}
		reply->next += size + 1;
	}
	return text;
}

int message_pam_code(const char *status)
{
	for (size_t i = 0; i < sizeof STATUSES / sizeof STATUSES[0]; i++)
		if (strcmp(status, STATUSES[i].word) == 0)
			return STATUSES[i].code;
	return PAM_SYSTEM_ERR;
}
