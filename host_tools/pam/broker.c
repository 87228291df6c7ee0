/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors */
#include "broker.h"

#include <errno.h>
#include <poll.h>
#include <security/pam_ext.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

/* In milliseconds. */
enum {
	GRACE = 5000, /* that a broker which is being restarted has to come back */
	FIRST_PAUSE = 10,
	LAST_PAUSE = 160,
};

/* Inside this file, outcomes of one attempt. */
enum {
	LOST = -1,  /* the connection broke, or there is no room for one now: try again */
	READY = -2, /* go on */
};

/* CLOCK_MONOTONIC in milliseconds, or -1. */
static int64_t now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return -1;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How long until `end`; 0 when it has passed, or when there is no clock to tell. */
static int until(int64_t end)
{
	int64_t now = now_ms();

	return now < 0 || now >= end ? 0 : (int)(end - now);
}

/* Wait until `fd` (-1: nothing) is ready for `events`, or until `end`: READY, BROKER_LATE or
 * BROKER_UNREACHABLE. */
static int wait_for(int fd, short events, int64_t end)
{
	for (int left = until(end); left > 0; left = until(end)) {
		struct pollfd one = {.fd = fd, .events = events};
		int ready = poll(&one, 1, left);

		if (ready > 0)
			return READY;
		if (ready == 0)
			break;
		if (errno != EINTR)
			return BROKER_UNREACHABLE;
	}
	return BROKER_LATE;
}

/* What an errno of a connection means. */
static int outcome_of(int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		return BROKER_ABSENT;
	case EAGAIN: /* of connect: as many wait to be let in as may */
	case EINTR:
	case ECONNRESET:
	case EPIPE:
	case ENOTCONN:
		return LOST;
	default:
		return BROKER_UNREACHABLE;
	}
}

static int connect_to(int fd, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, strlen(path) + 1); /* conf_read has seen to the length */
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return READY;
	return outcome_of(errno);
}

static int send_all(int fd, const char *bytes, size_t size, int64_t end)
{
	while (size > 0) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

		if (sent > 0) {
			bytes += sent;
			size -= (size_t)sent;
		} else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			return outcome_of(errno);
		} else {
			int ready = wait_for(fd, POLLOUT, end);

			if (ready != READY)
				return ready;
		}
	}
	return READY;
}

static int receive(int fd, struct reply *reply, int64_t end)
{
	for (reply->size = 0; reply->size < REPLY_MAX;) {
		size_t seen = reply->size, whole;
		ssize_t got;
		int ready = wait_for(fd, POLLIN, end);

		if (ready != READY)
			return ready;
		got = recv(fd, reply->bytes + seen, REPLY_MAX - seen, 0);
		if (got == 0)
			return LOST;
		if (got < 0) {
			if (errno == EAGAIN || errno == EINTR)
				continue;
			return outcome_of(errno);
		}
		reply->size += (size_t)got;
		if (reply->size > reply->dirty)
			reply->dirty = reply->size;
		whole = message_end(reply->bytes, reply->size, seen);
		if (whole != 0)
			return whole == reply->size && message_parse(reply) ? BROKER_ANSWERED
									    : BROKER_GARBLED;
	}
	return BROKER_GARBLED;
}

/* Ask over a connected socket. */
static int converse(pam_handle_t *pamh, const struct conf *conf, int fd, const struct request *request,
		    struct reply *reply, int64_t end)
{
	char bytes[REQUEST_MAX];
	const char *objection = peer_objection(fd, conf->socket);
	size_t size;
	int left, result;

	if (objection != NULL) {
		pam_syslog(pamh, LOG_ERR, "%s is not trusted: %s", conf->socket, objection);
		return BROKER_STRANGER;
	}
	left = until(end);
	if (left == 0)
		return BROKER_LATE;
	size = message_write(request, left, bytes);
	if (size == 0) { /* can't be: the values were looked at before */
		errno = EMSGSIZE;
		return BROKER_UNREACHABLE;
	}
	result = send_all(fd, bytes, size, end);
	explicit_bzero(bytes, size);
	return result == READY ? receive(fd, reply, end) : result;
}

/* One connection from its beginning to its end. */
static int attempt(pam_handle_t *pamh, const struct conf *conf, const struct request *request,
		   struct reply *reply, int64_t end)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), result;

	if (fd < 0) {
		pam_syslog(pamh, LOG_ERR, "no socket can be made: %s", strerror(errno));
		return BROKER_UNREACHABLE;
	}
	result = connect_to(fd, conf->socket);
	if (result == READY)
		result = converse(pamh, conf, fd, request, reply, end);
	if (result == BROKER_UNREACHABLE)
		pam_syslog(pamh, LOG_ERR, "%s can't be used: %s", conf->socket, strerror(errno));
	close(fd);
	return result;
}

/* Let `ms` pass, or less if it is `end` then. READY, BROKER_LATE or BROKER_UNREACHABLE. */
static int rest(int ms, int64_t end)
{
	int left = until(end);
	int result = wait_for(-1, 0, end - left + (left < ms ? left : ms));

	return result == BROKER_LATE && left > ms ? READY : result;
}

/* A fresh id. The system may have no random numbers yet while it starts. */
static bool draw(unsigned char id[static ID_SIZE], int64_t end)
{
	ssize_t got;

	while ((got = getrandom(id, ID_SIZE, GRND_NONBLOCK)) < 0 && (errno == EAGAIN || errno == EINTR))
		if (rest(LAST_PAUSE, end) != READY)
			break;
	return got == ID_SIZE;
}

/* Attempts until one decides, or the time is up. */
static int attempts(pam_handle_t *pamh, const struct conf *conf, const struct request *request,
		    struct reply *reply, int64_t end)
{
	int64_t given_up = 0; /* when an absent broker will have been waited for long enough; 0: it is there */

	for (int pause = FIRST_PAUSE;; pause = pause < LAST_PAUSE ? 2 * pause : pause) {
		int result = attempt(pamh, conf, request, reply, end), rested;

		if (result == LOST)
			given_up = 0;
		else if (result != BROKER_ABSENT)
			return result;
		else if (given_up == 0)
			given_up = now_ms() + GRACE;
		rested = rest(pause, given_up != 0 && given_up < end ? given_up : end);
		if (rested != READY)
			return given_up != 0 ? BROKER_ABSENT : rested;
	}
}

enum outcome broker_ask(pam_handle_t *pamh, const struct conf *conf, int *left_ms, struct request *request,
			struct reply *reply)
{
	int64_t start = now_ms(), end = start + *left_ms;
	int result = BROKER_UNREACHABLE;

	if (start < 0)
		pam_syslog(pamh, LOG_ERR, "the clock can't be read: %s", strerror(errno));
	else if (!draw(request->id, end))
		pam_syslog(pamh, LOG_ERR, "there are no random numbers: %s", strerror(errno));
	else
		result = attempts(pamh, conf, request, reply, end);
	*left_ms = until(end);
	if (result == BROKER_ABSENT)
		pam_syslog(pamh, LOG_ERR, "no broker listens at %s", conf->socket);
	else if (result == BROKER_LATE)
		pam_syslog(pamh, LOG_ERR, "no reply of the broker within %d s", conf->timeout);
	else if (result == BROKER_GARBLED)
		pam_syslog(pamh, LOG_ERR, "what %s sends is no reply", conf->socket);
	return (enum outcome)result;
}
