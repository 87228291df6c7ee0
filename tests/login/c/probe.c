/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors
 *
 * conf.c and message.c, a call a line: words on stdin, values in hex ("." for NULL, "-" for empty), and a line
 * of results on stdout for each. What lies behind a value is poisoned, so that reading on is seen. */
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "message.h"

enum { WORDS = 4096 };

struct value {
	char *text; /* of just `size` bytes and a NUL, on the heap */
	size_t size;
};

static struct value value_of(const char *hex)
{
	struct value value = {NULL, 0};

	if (strcmp(hex, ".") == 0)
		return value;
	value.size = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
	value.text = malloc(value.size + 1);
	if (value.text == NULL)
		abort();
	for (size_t i = 0; i < value.size; i++) {
		unsigned byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			abort();
		value.text[i] = (char)byte;
	}
	value.text[value.size] = '\0';
	return value;
}

static void show_bytes(const char *bytes, size_t size)
{
	if (size == 0)
		putchar('-');
	for (size_t i = 0; i < size; i++)
		printf("%02x", (unsigned)(unsigned char)bytes[i]);
}

static void show_text(const char *text)
{
	if (text == NULL)
		putchar('.');
	else
		show_bytes(text, strlen(text));
}

static void do_conf(const struct value *values, int count)
{
	struct conf conf;
	const char *arguments[WORDS], *refused;

	for (int i = 0; i < count; i++)
		arguments[i] = values[i].text;
	refused = conf_read(&conf, count, arguments);
	if (refused != NULL) {
		fputs("refused ", stdout);
		show_text(refused);
		return;
	}
	fputs("taken ", stdout);
	show_text(conf.socket);
	printf(" %d %d %d", conf.timeout, conf.enrol, conf.debug);
}

static void do_write(const struct value *values)
{
	struct request request = {
		.word = "login",
		.user = values[0].text,
		.service = values[1].text,
		.tty = values[2].text,
		.rhost = values[3].text,
		.stage = values[4].text,
		.answer = values[5].text,
		.enrol = values[6].text != NULL,
	};
	char *out = malloc(REQUEST_MAX);
	size_t size;

	if (out == NULL)
		abort();
	for (size_t i = 0; i < ID_SIZE; i++)
		request.id[i] = (unsigned char)(0xa0 + i);
	size = message_write(&request, atoi(values[7].text), out);
	show_bytes(out, size);
	free(out);
}

static void do_parse(const struct value *value)
{
	static struct reply reply;
	const char *text;
	bool is_error;
	size_t size = value->size < REPLY_MAX ? value->size : REPLY_MAX;

	memset(&reply, 0xee, sizeof reply);
	memcpy(reply.bytes, value->text, size);
	reply.size = value->size;
	__asan_poison_memory_region(reply.bytes + size, REPLY_MAX - size);
	if (message_parse(&reply)) {
		printf("%s %d ", reply.status, message_pam_code(reply.status));
		show_text(reply.prompt);
		putchar(' ');
		show_text(reply.stage);
		printf(" %s", reply.prompt == NULL ? "." : reply.echo ? "on" : "off");
		while ((text = message_next_text(&reply, &is_error)) != NULL) {
			fputs(is_error ? " error " : " info ", stdout);
			show_text(text);
		}
	} else {
		fputs("bad", stdout);
	}
	__asan_unpoison_memory_region(reply.bytes, REPLY_MAX);
}

static void run(const char *word, const struct value *values, int count)
{
	if (strcmp(word, "conf") == 0)
		do_conf(values, count);
	else if (strcmp(word, "write") == 0 && count == 8)
		do_write(values);
	else if (strcmp(word, "parse") == 0 && count == 1)
		do_parse(&values[0]);
	else if (strcmp(word, "text") == 0 && count == 2)
		printf("%d", message_text_ok(values[0].text, (size_t)atoi(values[1].text)));
	else if (strcmp(word, "end") == 0 && count == 2)
		printf("%zu", message_end(values[0].text, values[0].size, (size_t)atoi(values[1].text)));
	else
		abort();
	putchar('\n');
}

int main(void)
{
	static struct value values[WORDS];
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		char *rest = line, *word = strtok_r(line, " \n", &rest), *next;
		int count = 0;

		while (count < WORDS && (next = strtok_r(NULL, " \n", &rest)) != NULL)
			values[count++] = value_of(next);
		run(word, values, count);
		while (count > 0)
			free(values[--count].text);
	}
	free(line);
	return 0;
}
