/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors */
#include "peer.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "conf.h"

const char *peer_objection(int fd, const char *path)
{
	char folder[CONF_SOCKET_MAX + 1];
	size_t size = (size_t)(strrchr(path, '/') - path);
	struct stat is;
	/* Of whoever called listen(): systemd, if it hands the socket over. unix(7), SO_PEERCRED. */
	struct ucred peer;
	socklen_t peer_size = sizeof peer;

	if (size == 0)
		size = 1; /* the root directory itself */
	memcpy(folder, path, size);
	folder[size] = '\0';
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) != 0 || peer_size != sizeof peer)
		return "the system does not say who listens";
	if (lstat(folder, &is) != 0)
		return "its folder can't be looked at";
	if (!S_ISDIR(is.st_mode))
		return "its folder is a link";
	if ((is.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "its folder can be written to by others than its owner";
	if (peer.uid != 0 && peer.uid != is.st_uid)
		return "neither root nor the owner of its folder listens there";
	return NULL;
}
