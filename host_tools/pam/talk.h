/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors
 *
 * The conversation with the user, through the application's conversation function, pam_conv(3). */
#ifndef UNDERSTUDY_TALK_H
#define UNDERSTUDY_TALK_H

#include <security/pam_modules.h>
#include <stdbool.h>

/* Who logs in, asked for if it is not known yet: PAM_SUCCESS, or why there is no name. */
int talk_user(pam_handle_t *pamh, const char **user);

/* Show a text. False if the application can't. */
bool talk_show(pam_handle_t *pamh, bool is_error, const char *text);

/* Ask, with what is typed shown or not. What was typed, to be handed to talk_forget, or NULL. */
char *talk_ask(pam_handle_t *pamh, const char *prompt, bool echo);

/* Wipe and free what was typed. */
void talk_forget(char *typed);

#endif
