/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors */
#include "login.h"

#include <security/pam_ext.h>
#include <string.h>
#include <syslog.h>

#include "broker.h"
#include "message.h"
#include "statuses.h"
#include "talk.h"

enum {
	PROMPTS_MAX = 8, /* in one login; a broker that goes on asking is out of order */
	GO_ON = -1,      /* besides the PAM codes: nothing is decided yet. None of them is negative */
};

#define CANT_CHECK "The code can't be checked: "

struct login {
	pam_handle_t *pamh;
	const struct conf *conf;
	bool silent;
	int left_ms; /* of the time for waiting; what the user takes to type does not count */
	struct request request;
	struct reply *reply;
	char stage[STAGE_MAX + 1]; /* of the last prompt: the next reply is written over it */
};

/* A text item, or NULL if it is not set or can't be sent. */
static const char *item(pam_handle_t *pamh, int type, size_t max)
{
	const char *text = NULL;

	if (pam_get_item(pamh, type, (const void **)&text) != PAM_SUCCESS || text == NULL || *text == '\0')
		return NULL;
	return message_text_ok(text, max) ? text : NULL;
}

/* Who logs in, and to what. GO_ON, or the code to fail with. */
static int fill(struct login *login)
{
	struct request *request = &login->request;
	int result = talk_user(login->pamh, &request->user);

	if (result != PAM_SUCCESS || request->user == NULL) {
		pam_syslog(login->pamh, LOG_ERR, "there is no user name: %s", pam_strerror(login->pamh, result));
		return result == PAM_CONV_AGAIN ? PAM_INCOMPLETE : PAM_CONV_ERR;
	}
	if (*request->user == '\0' || !message_text_ok(request->user, USER_MAX)) {
		pam_syslog(login->pamh, LOG_ERR, "the user name is refused: it has to be 1 to %d bytes of UTF-8",
			   USER_MAX);
		return PAM_USER_UNKNOWN;
	}
	request->service = item(login->pamh, PAM_SERVICE, SERVICE_MAX);
	if (request->service == NULL) {
		pam_syslog(login->pamh, LOG_ERR, "the service's name is refused");
		return PAM_SYSTEM_ERR;
	}
	request->tty = item(login->pamh, PAM_TTY, TTY_MAX);
	request->rhost = item(login->pamh, PAM_RHOST, RHOST_MAX);
	return GO_ON;
}

static bool show(const struct login *login, bool is_error, const char *text)
{
	return login->silent || talk_show(login->pamh, is_error, text);
}

static bool show_all(struct login *login)
{
	const char *text;
	bool is_error, shown = true;

	while ((text = message_next_text(login->reply, &is_error)) != NULL)
		shown = show(login, is_error, text) && shown;
	return shown;
}

/* Tell the user why there is no reply; the code to fail with. */
static int no_reply(const struct login *login, enum outcome outcome)
{
	switch (outcome) {
	case BROKER_ABSENT:
		show(login, true, CANT_CHECK TEXT_NO_BROKER);
		return PAM_AUTHINFO_UNAVAIL;
	case BROKER_LATE:
		show(login, true, CANT_CHECK "The broker did not answer in time.");
		return PAM_AUTHINFO_UNAVAIL;
	case BROKER_STRANGER:
		show(login, true, CANT_CHECK "The broker's socket is not trusted.");
		return PAM_AUTHINFO_UNAVAIL;
	case BROKER_GARBLED:
		show(login, true, CANT_CHECK "The broker's reply is not understood.");
		return PAM_SYSTEM_ERR;
	case BROKER_ANSWERED:
	case BROKER_UNREACHABLE:
	default:
		show(login, true, CANT_CHECK "The broker can't be reached.");
		return PAM_AUTHINFO_UNAVAIL;
	}
}

/* What a reply comes to once its texts were shown, or could not be. */
static int judge(const struct reply *reply, bool shown)
{
	int code;

	if (reply->prompt != NULL)
		return shown ? GO_ON : PAM_CONV_ERR;
	code = message_pam_code(reply->status);
	return code == PAM_SUCCESS && !shown ? PAM_CONV_ERR : code; /* a refusal stays what it is */
}

/* Ask the broker once. GO_ON if it wants to know more of the user, else the verdict. */
static int ask(struct login *login)
{
	enum outcome outcome =
		broker_ask(login->pamh, login->conf, &login->left_ms, &login->request, login->reply);

	if (outcome != BROKER_ANSWERED)
		return no_reply(login, outcome);
	if (login->conf->debug)
		pam_syslog(login->pamh, LOG_DEBUG, "%s: %s, %d ms left", login->request.word,
			   login->reply->status, login->left_ms);
	return judge(login->reply, show_all(login));
}

/* Ask the user what the reply wants to know, and the broker what it says to that. */
static int ask_with_answer(struct login *login)
{
	const struct reply *reply = login->reply;
	char *typed = talk_ask(login->pamh, reply->prompt, reply->echo);
	int result = PAM_CRED_ERR;

	if (typed == NULL)
		return PAM_CONV_ERR;
	if (message_text_ok(typed, ANSWER_MAX)) {
		strcpy(login->stage, reply->stage);
		login->request.stage = login->stage;
		login->request.answer = typed;
		result = ask(login);
		login->request.answer = NULL;
	} else {
		show(login, true, TEXT_MALFORMED);
	}
	talk_forget(typed);
	return result;
}

/* From the first question to the verdict, with so many prompts at most. */
static int run(struct login *login, int prompts)
{
	int result = fill(login);

	if (result == GO_ON)
		result = ask(login);
	for (; result == GO_ON && prompts > 0; prompts--)
		result = ask_with_answer(login);
	if (result != GO_ON)
		return result;
	pam_syslog(login->pamh, LOG_ERR, "the broker asks too much");
	return PAM_SYSTEM_ERR;
}

/* A login or account request from its beginning to its end. */
static int handle(pam_handle_t *pamh, int flags, const struct conf *conf, const char *word, int prompts)
{
	struct reply reply; /* not cleared: it is large */
	struct login login = {
		.pamh = pamh,
		.conf = conf,
		/* Who is asked has to be told why it was in vain, and who enrols has to see the secret: sudo sets
		 * the flag always, and there is no way to have it otherwise before its version 1.9.16. */
		.silent = prompts == 0 && ((unsigned)flags & PAM_SILENT) != 0,
		.left_ms = conf->timeout * 1000,
		.request = {.word = word},
		.reply = &reply,
	};
	int result;

	login.request.enrol = prompts > 0 && conf->enrol; /* only a login has prompts */
	reply.dirty = 0;
	result = run(&login, prompts);
	explicit_bzero(reply.bytes, reply.dirty); /* it may have told a secret for the phone */
	return result;
}

int login_code(pam_handle_t *pamh, int flags, const struct conf *conf)
{
	return handle(pamh, flags, conf, "login", PROMPTS_MAX);
}

int login_account(pam_handle_t *pamh, int flags, const struct conf *conf)
{
	return handle(pamh, flags, conf, "account", 0);
}
