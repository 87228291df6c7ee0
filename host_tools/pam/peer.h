/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors
 *
 * Who listens at the broker's socket. */
#ifndef UNDERSTUDY_PEER_H
#define UNDERSTUDY_PEER_H

/* NULL if the other end of the connected socket `fd` was set up by root or by the owner of the folder that
 * `path` is in, and nobody else can put another socket there; else why it is not to be trusted. */
const char *peer_objection(int fd, const char *path);

#endif
