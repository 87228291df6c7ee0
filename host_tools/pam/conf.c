/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors */
#include "conf.h"

#include <string.h>

#include "message.h"

/* What follows `name` in `argument`, or NULL if it is another argument. */
static const char *value_of(const char *argument, const char *name)
{
	size_t size = strlen(name);

	return strncmp(argument, name, size) == 0 ? argument + size : NULL;
}

static bool is_socket_path(const char *path)
{
	size_t size = strnlen(path, CONF_SOCKET_MAX + 1);

	return size > 1 && size <= CONF_SOCKET_MAX && path[0] == '/' && path[size - 1] != '/' &&
	       message_text_ok(path, CONF_SOCKET_MAX);
}

/* Seconds, 1 to CONF_TIMEOUT_MAX, in digits alone; 0 for anything else. */
static int seconds_of(const char *text)
{
	int seconds = 0;

	if (*text == '\0' || strnlen(text, 3) > 2)
		return 0;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return 0;
		seconds = seconds * 10 + (*text - '0');
	}
	return seconds <= CONF_TIMEOUT_MAX ? seconds : 0;
}

static bool take(struct conf *conf, const char *argument)
{
	const char *value;

	if ((value = value_of(argument, "socket=")) != NULL) {
		conf->socket = value;
		return is_socket_path(value);
	}
	if ((value = value_of(argument, "timeout=")) != NULL) {
		conf->timeout = seconds_of(value);
		return conf->timeout != 0;
	}
	if (strcmp(argument, "enrol") == 0)
		return conf->enrol = true;
	if (strcmp(argument, "debug") == 0)
		return conf->debug = true;
	return false;
}

const char *conf_read(struct conf *conf, int argc, const char **argv)
{
	*conf = (struct conf){.socket = CONF_SOCKET, .timeout = CONF_TIMEOUT};
	for (int i = 0; i < argc; i++)
		if (!take(conf, argv[i]))
			return argv[i];
	return NULL;
}
