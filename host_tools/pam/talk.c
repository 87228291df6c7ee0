/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors */
#include "talk.h"

#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* The application's conversation, or NULL if it has none. */
static const struct pam_conv *conversation(pam_handle_t *pamh)
{
	const struct pam_conv *conv = NULL;

	if (pam_get_item(pamh, PAM_CONV, (const void **)&conv) == PAM_SUCCESS && conv != NULL &&
	    conv->conv != NULL)
		return conv;
	pam_syslog(pamh, LOG_ERR, "this program can't converse with its user");
	return NULL;
}

int talk_user(pam_handle_t *pamh, const char **user)
{
	*user = NULL;
	if (pam_get_item(pamh, PAM_USER, (const void **)user) == PAM_SUCCESS && *user != NULL)
		return PAM_SUCCESS;
	/* pam_get_user would call a function that is not there. */
	return conversation(pamh) == NULL ? PAM_CONV_ERR : pam_get_user(pamh, user, NULL);
}

/* One message. `*typed` is the response, NULL if there is none. pam_prompt would format it anew. */
static bool converse(pam_handle_t *pamh, int style, const char *text, char **typed)
{
	const struct pam_message message = {.msg_style = style, .msg = text}, *messages = &message;
	const struct pam_conv *conv = conversation(pamh);
	struct pam_response *response = NULL;
	int result;

	*typed = NULL;
	if (conv == NULL)
		return false;
	result = conv->conv(1, &messages, &response, conv->appdata_ptr);
	if (response != NULL) {
		*typed = response->resp;
		free(response);
	}
	if (result != PAM_SUCCESS)
		pam_syslog(pamh, LOG_ERR, "the conversation with the user failed: %s",
			   pam_strerror(pamh, result));
	return result == PAM_SUCCESS;
}

bool talk_show(pam_handle_t *pamh, bool is_error, const char *text)
{
	char *typed;
	bool shown = converse(pamh, is_error ? PAM_ERROR_MSG : PAM_TEXT_INFO, text, &typed);

	talk_forget(typed);
	return shown;
}

char *talk_ask(pam_handle_t *pamh, const char *prompt, bool echo)
{
	char *typed;
	size_t size;

	if (!converse(pamh, echo ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, prompt, &typed)) {
		talk_forget(typed);
		return NULL;
	}
	if (typed == NULL) {
		pam_syslog(pamh, LOG_ERR, "the conversation with the user gave no answer");
		return NULL;
	}
	for (size = strlen(typed); size > 0 && strchr("\r\n", typed[size - 1]) != NULL; size--)
		typed[size - 1] = '\0'; /* some clients send the end of the line, too */
	return typed;
}

void talk_forget(char *typed)
{
	if (typed == NULL)
		return;
	explicit_bzero(typed, strlen(typed));
	free(typed);
}
