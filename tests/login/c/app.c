/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors
 *
 * A program that logs a user in: app CONFDIR SERVICE [WORD..]; what happens comes out on stdout, a line each.
 *
 *   user=NAME tty=NAME rhost=NAME   PAM items; without user=, PAM asks for it
 *   answer=TEXT (any number)        what the user types, prompt by prompt; then nothing more: PAM_CONV_ERR
 *   secret=HEX                      the same, every byte xored with 0x55; later no memory may hold the text
 *   account setcred                 call that instead of pam_authenticate
 *   silent                          with PAM_SILENT
 *   no-conv                         without a conversation function
 *   no-response                     the conversation succeeds, but gives no response
 *   empty-response                  the same with a response that holds no text
 *   fail=N                          the conversation fails at its N-th message (from 1), with PAM_CONV_ERR
 *   again=N                         the same with PAM_CONV_AGAIN
 *   oom=N                           while PAM works, the N-th allocation fails (from 1); only in the build
 *                                   without sanitizers, which counts them
 *   times=N threads=N               do it N times in each of N threads */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

enum { ANSWERS = 64, SECRET_MAX = 256 };

static struct {
	const char *user, *tty, *rhost;
	const char *answers[ANSWERS];
	int answer_count;
	unsigned char secret[SECRET_MAX]; /* xored */
	size_t secret_size;
	bool account, setcred, no_conv, no_response, empty_response;
	int flags, fail_at, again_at, oom_at, times, threads;
} options = {.times = 1, .threads = 1};

struct session {
	int asked;
	int messages;
};

#ifdef COUNT_ALLOCATIONS
static bool counting;
static int allocations;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool fails(void)
{
	return counting && ++allocations == options.oom_at;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
#endif

static pthread_mutex_t printing = PTHREAD_MUTEX_INITIALIZER;

static void say(const char *kind, const char *text)
{
	pthread_mutex_lock(&printing);
	printf("%s ", kind);
	for (; *text != '\0'; text++)
		if (*text == '\n')
			fputs("\\n", stdout);
		else
			putchar(*text);
	putchar('\n');
	fflush(stdout);
	pthread_mutex_unlock(&printing);
}

/* What modules tell syslog: libpam calls one of these, by how it was built. */
static void log_message(int priority, const char *format, va_list arguments)
{
	char text[2048], kind[32];

	vsnprintf(text, sizeof text, format, arguments);
	snprintf(kind, sizeof kind, "syslog-%d", LOG_PRI(priority));
	say(kind, text);
}

__attribute__((visibility("default"))) void syslog(int priority, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_message(priority, format, arguments);
	va_end(arguments);
}

void __syslog_chk(int priority, int flag, const char *format, ...);
__attribute__((visibility("default"))) void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list arguments;

	(void)flag;
	va_start(arguments, format);
	log_message(priority, format, arguments);
	va_end(arguments);
}

static char *typed(struct session *session)
{
	if (options.secret_size != 0) {
		char *text = malloc(options.secret_size + 1);

		if (text == NULL)
			return NULL;
		for (size_t i = 0; i < options.secret_size; i++)
			text[i] = (char)(options.secret[i] ^ 0x55);
		text[options.secret_size] = '\0';
		return text;
	}
	return session->asked < options.answer_count ? strdup(options.answers[session->asked++]) : NULL;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	static const char *const kinds[] = {
		[PAM_PROMPT_ECHO_OFF] = "hidden",
		[PAM_PROMPT_ECHO_ON] = "shown",
		[PAM_ERROR_MSG] = "error",
		[PAM_TEXT_INFO] = "info",
	};
	struct session *session = data;
	struct pam_response *response;
	int style;

	if (count != 1)
		abort();
	style = messages[0]->msg_style;
	if (options.secret_size == 0) /* stdio would keep it */
		say(kinds[style], messages[0]->msg);
	session->messages++;
	if (session->messages == options.fail_at)
		return PAM_CONV_ERR;
	if (session->messages == options.again_at)
		return PAM_CONV_AGAIN;
	*responses = NULL;
	if (options.no_response)
		return PAM_SUCCESS;
	response = calloc(1, sizeof *response);
	if (response == NULL)
		return PAM_BUF_ERR;
	if (!options.empty_response && (style == PAM_PROMPT_ECHO_OFF || style == PAM_PROMPT_ECHO_ON)) {
		response->resp = typed(session);
		if (response->resp == NULL) {
			free(response);
			return PAM_CONV_ERR;
		}
	}
	*responses = response;
	return PAM_SUCCESS;
}

/* How often the secret stands in memory that can be written to. */
static int copies(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	int found = 0;

	if (maps == NULL)
		abort();
	while (fgets(line, sizeof line, maps) != NULL) {
		unsigned long from, to;
		char rights[5];

		if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3 || strncmp(rights, "rw", 2) != 0)
			continue;
		for (const char *at = (const char *)from; at + options.secret_size <= (const char *)to; at++) {
			size_t same = 0;

			while (same < options.secret_size && (at[same] ^ 0x55) == (char)options.secret[same])
				same++;
			found += same == options.secret_size;
		}
	}
	fclose(maps);
	return found;
}

static int open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	if (folder == NULL)
		abort();
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

static int once(const char *service, const char *folder)
{
	struct session session = {0, 0};
	struct pam_conv conv = {options.no_conv ? NULL : converse, &session};
	pam_handle_t *pamh = NULL;
	int result = pam_start_confdir(service, options.user, &conv, folder, &pamh);

	if (result != PAM_SUCCESS)
		return result;
	if (options.tty != NULL)
		pam_set_item(pamh, PAM_TTY, options.tty);
	if (options.rhost != NULL)
		pam_set_item(pamh, PAM_RHOST, options.rhost);
#ifdef COUNT_ALLOCATIONS
	counting = options.oom_at != 0;
#endif
	if (options.account)
		result = pam_acct_mgmt(pamh, options.flags);
	else if (options.setcred)
		result = pam_setcred(pamh, (int)((unsigned)options.flags | PAM_ESTABLISH_CRED));
	else
		result = pam_authenticate(pamh, options.flags);
	while (result == PAM_INCOMPLETE) { /* as a program that is driven by events */
		say("incomplete", "");
		result = pam_authenticate(pamh, options.flags);
	}
#ifdef COUNT_ALLOCATIONS
	counting = false;
	if (options.oom_at != 0) {
		char number[16];

		snprintf(number, sizeof number, "%d", allocations);
		say("allocations", number);
	}
#endif
	if (options.secret_size != 0) {
		char number[16];

		snprintf(number, sizeof number, "%d", copies());
		say("copies", number);
	}
	pam_end(pamh, result);
	return result;
}

static const char *service_name, *folder_name;

static void *thread(void *unused)
{
	(void)unused;
	for (int i = 0; i < options.times; i++) {
		char number[16];

		snprintf(number, sizeof number, "%d", once(service_name, folder_name));
		say("result", number);
	}
	return NULL;
}

static void take_secret(const char *hex)
{
	for (; hex[0] != '\0' && options.secret_size < SECRET_MAX; hex += 2) {
		unsigned byte;

		if (sscanf(hex, "%2x", &byte) != 1)
			abort();
		options.secret[options.secret_size++] = (unsigned char)byte;
	}
}

static void take(const char *word)
{
	const char *value = strchr(word, '=');
	size_t size = value == NULL ? strlen(word) : (size_t)(value++ - word);
	const struct {
		const char *name;
		const char **text;
		int *number;
		bool *flag;
	} known[] = {
		{"user", &options.user, NULL, NULL},
		{"tty", &options.tty, NULL, NULL},
		{"rhost", &options.rhost, NULL, NULL},
		{"fail", NULL, &options.fail_at, NULL},
		{"again", NULL, &options.again_at, NULL},
		{"oom", NULL, &options.oom_at, NULL},
		{"times", NULL, &options.times, NULL},
		{"threads", NULL, &options.threads, NULL},
		{"account", NULL, NULL, &options.account},
		{"setcred", NULL, NULL, &options.setcred},
		{"no-conv", NULL, NULL, &options.no_conv},
		{"no-response", NULL, NULL, &options.no_response},
		{"empty-response", NULL, NULL, &options.empty_response},
	};

	if (strcmp(word, "silent") == 0) {
		options.flags |= (int)PAM_SILENT;
		return;
	}
	if (strncmp(word, "secret=", 7) == 0) {
		take_secret(value);
		return;
	}
	if (strncmp(word, "answer=", 7) == 0 && options.answer_count < ANSWERS) {
		options.answers[options.answer_count++] = value;
		return;
	}
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strlen(known[i].name) != size || strncmp(known[i].name, word, size) != 0)
			continue;
		if (known[i].text != NULL)
			*known[i].text = value;
		else if (known[i].number != NULL)
			*known[i].number = atoi(value);
		else
			*known[i].flag = true;
		return;
	}
	abort();
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	int before;

	if (argc < 3)
		abort();
	folder_name = argv[1];
	service_name = argv[2];
	for (int i = 3; i < argc; i++)
		take(argv[i]);
	before = open_files();
	if (options.threads == 1) {
		thread(NULL);
	} else {
		for (int i = 0; i < options.threads; i++)
			if (pthread_create(&threads[i], NULL, thread, NULL) != 0)
				abort();
		for (int i = 0; i < options.threads; i++)
			pthread_join(threads[i], NULL);
	}
	if (open_files() != before)
		say("leak", "a file was left open");
	return 0;
}
