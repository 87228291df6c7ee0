/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors
 *
 * Linked into the module in the place of what it calls outside (ld --wrap): makes calls fail, keeps a clock of
 * its own, and writes down what was called. From the environment:
 *
 *   FAULTS   NAME:FIRST:LAST:WHAT, with commas between: from the FIRST to the LAST call of NAME, counted from 1,
 *            it fails with errno WHAT (a number), or
 *              ret=N    returns N without doing anything (for a pam_ function: its code)
 *              null     gives NULL, and says that all is well
 *              short    takes or gives one byte only
 *              slow=N   the same, and N milliseconds pass on the module's clock
 *   RESTS    if set, waiting for nothing takes no time: it passes on the module's clock
 *   CALLS    a file to which each call is appended, a line each: NAME RESULT ERRNO VALUE, where VALUE is poll's
 *            timeout, clock_gettime's milliseconds, the type of a socket, the flags of getrandom and send */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <security/pam_modules.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum name { SOCKET, CONNECT, GETSOCKOPT, LSTAT, SEND, RECV, POLL, CLOSE, CLOCK, RANDOM, ITEM, USER, NAMES };

static const char *const names[NAMES] = {
	"socket", "connect", "getsockopt", "lstat", "send", "recv", "poll", "close", "clock_gettime",
	"getrandom", "pam_get_item", "pam_get_user",
};
static int counts[NAMES];
static int64_t passed_ms;

int __real_socket(int, int, int);
int __real_connect(int, const struct sockaddr *, socklen_t);
int __real_getsockopt(int, int, int, void *, socklen_t *);
int __real_lstat(const char *, struct stat *);
ssize_t __real_send(int, const void *, size_t, int);
ssize_t __real_recv(int, void *, size_t, int);
int __real_poll(struct pollfd *, nfds_t, int);
int __real_close(int);
int __real_clock_gettime(clockid_t, struct timespec *);
ssize_t __real_getrandom(void *, size_t, unsigned);
int __real_pam_get_item(const pam_handle_t *, int, const void **);
int __real_pam_get_user(pam_handle_t *, const char **, const char *);

int __wrap_socket(int, int, int);
int __wrap_connect(int, const struct sockaddr *, socklen_t);
int __wrap_getsockopt(int, int, int, void *, socklen_t *);
int __wrap_lstat(const char *, struct stat *);
ssize_t __wrap_send(int, const void *, size_t, int);
ssize_t __wrap_recv(int, void *, size_t, int);
int __wrap_poll(struct pollfd *, nfds_t, int);
int __wrap_close(int);
int __wrap_clock_gettime(clockid_t, struct timespec *);
ssize_t __wrap_getrandom(void *, size_t, unsigned);
int __wrap_pam_get_item(const pam_handle_t *, int, const void **);
int __wrap_pam_get_user(pam_handle_t *, const char **, const char *);

/* What is to happen to this call: "" if nothing special. */
static const char *fault(enum name name)
{
	static char what[64];
	const char *at = getenv("FAULTS");
	int count = ++counts[name];

	while (at != NULL && *at != '\0') {
		char word[32];
		int first, last;

		if (sscanf(at, "%31[^:]:%d:%d:%63[^,]", word, &first, &last, what) != 4)
			abort();
		if (strcmp(word, names[name]) == 0 && count >= first && count <= last)
			return what;
		at = strchr(at, ',');
		at = at == NULL ? NULL : at + 1;
	}
	return "";
}

static void note(enum name name, long result, long value)
{
	const char *path = getenv("CALLS");
	int error = errno, fd;
	char line[128];

	if (path != NULL) {
		int size = snprintf(line, sizeof line, "%s %ld %d %ld\n", names[name], result,
				    result == -1 ? error : 0, value);

		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, line, (size_t)size) != size)
			abort();
		__real_close(fd);
	}
	errno = error;
}

/* The result that the call is to have without being made, if it is. */
static int is_made_up(const char *what, long *result)
{
	if (strncmp(what, "ret=", 4) == 0) {
		*result = atol(what + 4);
	} else if (what[0] >= '0' && what[0] <= '9') {
		*result = -1;
		errno = atoi(what);
	} else {
		return 0;
	}
	return 1;
}

static size_t shortened(const char *what, size_t size)
{
	if (strncmp(what, "slow=", 5) == 0)
		passed_ms += atol(what + 5);
	else if (strcmp(what, "short") != 0)
		return size;
	return size < 1 ? size : 1;
}

#define WRAP(name, value, call)                          \
	do {                                             \
		const char *what = fault(name);          \
		long result;                             \
                                                         \
		if (!is_made_up(what, &result))          \
			result = (call);                 \
		note(name, result, (long)(value));       \
		return (__typeof__(call))result;         \
	} while (0)

int __wrap_socket(int family, int type, int protocol)
{
	WRAP(SOCKET, type, __real_socket(family, type, protocol));
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	WRAP(CONNECT, 0, __real_connect(fd, address, size));
}

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	WRAP(GETSOCKOPT, option, __real_getsockopt(fd, level, option, value, size));
}

int __wrap_lstat(const char *path, struct stat *is)
{
	WRAP(LSTAT, 0, __real_lstat(path, is));
}

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags)
{
	WRAP(SEND, flags, __real_send(fd, bytes, shortened(what, size), flags));
}

ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags)
{
	WRAP(RECV, 0, __real_recv(fd, bytes, shortened(what, size), flags));
}

static int virtual_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	if (count == 1 && fds[0].fd == -1 && getenv("RESTS") != NULL) {
		passed_ms += timeout;
		return 0;
	}
	return __real_poll(fds, count, timeout);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	WRAP(POLL, timeout, virtual_poll(fds, count, timeout));
}

int __wrap_close(int fd)
{
	int closed = __real_close(fd); /* whatever it says, the file is closed: close(2) */

	WRAP(CLOSE, 0, closed);
}

static int virtual_clock(clockid_t clock, struct timespec *now)
{
	int result = __real_clock_gettime(clock, now);

	now->tv_sec += passed_ms / 1000;
	now->tv_nsec += passed_ms % 1000 * 1000000;
	if (now->tv_nsec >= 1000000000) {
		now->tv_sec++;
		now->tv_nsec -= 1000000000;
	}
	return result;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	const char *what = fault(CLOCK);
	long result;

	if (!is_made_up(what, &result))
		result = virtual_clock(clock, now);
	note(CLOCK, result, result == 0 ? now->tv_sec * 1000 + now->tv_nsec / 1000000 : 0);
	return (int)result;
}

ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags)
{
	WRAP(RANDOM, flags, __real_getrandom(bytes, shortened(what, size), flags));
}

int __wrap_pam_get_item(const pam_handle_t *pamh, int type, const void **item)
{
	const char *what = fault(ITEM);
	long result;

	if (strcmp(what, "null") == 0) {
		*item = NULL;
		result = PAM_SUCCESS;
	} else if (!is_made_up(what, &result)) {
		result = __real_pam_get_item(pamh, type, item);
	}
	note(ITEM, result, type);
	return (int)result;
}

int __wrap_pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
	const char *what = fault(USER);
	long result;

	if (strcmp(what, "null") == 0) {
		*user = NULL;
		result = PAM_SUCCESS;
	} else if (!is_made_up(what, &result)) {
		result = __real_pam_get_user(pamh, user, prompt);
	}
	note(USER, result, 0);
	return (int)result;
}
