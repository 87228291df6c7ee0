# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
# namespace.sh UNPACKED WORK: makes this process's mount namespace (unshare has given it one of its own) a
# machine of its own, says "ready", and holds it until its stdin ends; then whatever runs there ends, too.
# UNPACKED: Debian packages that are not installed, as in the root directory. WORK: an empty folder.
set -eu
unpacked=$1
work=$2

mount -t tmpfs -o mode=755 machine "$work"

over() { # over NAME LOWER...: /NAME with LOWER, first one on top; what is written there is kept in memory
    name=$1
    shift
    mkdir "$work/$name" "$work/$name.work"
    mount -t overlay machine -o "lowerdir=$(IFS=: && echo "$*"),upperdir=$work/$name,workdir=$work/$name.work" "/$name"
}
over etc "$unpacked/etc" /etc
over usr "$unpacked/usr" /usr
over var "$unpacked/var" /var
over root /root
for name in bin sbin lib; do # a package made before these became links into /usr
    if [ -d "$unpacked/$name" ]; then cp -a "$unpacked/$name/." "/usr/$name/"; fi
done
# Unpacked by another user, they would be his.
chown root:root /usr/bin/sudo /usr/sbin/sshd /usr/libexec/sudo/*.so /etc/sudoers /etc/sudoers.d /etc/pam.d/*
chmod 4755 /usr/bin/sudo
chmod 440 /etc/sudoers

mount -t tmpfs -o mode=755 machine /run
mkdir -p /run/sshd /run/lock
touch /run/utmp /var/log/wtmp /var/log/btmp /var/log/lastlog

dev=$work/dev # with a /dev/log of its own
mkdir -p "$dev/pts" "$dev/shm"
for name in null zero full random urandom tty; do
    touch "$dev/$name"
    mount --bind "/dev/$name" "$dev/$name"
done
mount --bind /dev/pts "$dev/pts"
mknod -m 666 "$dev/ptmx" c 5 2 # bound, it would not find the pts beside it
mount -t tmpfs -o mode=1777 machine "$dev/shm"
ln -s /proc/self/fd "$dev/fd"
ln -s fd/0 "$dev/stdin"
ln -s fd/1 "$dev/stdout"
ln -s fd/2 "$dev/stderr"
mount --rbind "$dev" /dev

echo ready
cat >/dev/null

left=yes
while [ -n "$left" ]; do # a process may start another while it is looked for
    left=
    for process in /proc/[0-9]*; do
        pid=${process#/proc/}
        if [ "$pid" != $$ ] && [ "$process/ns/mnt" -ef "/proc/$$/ns/mnt" ] && kill -KILL "$pid"; then left=yes; fi
    done
done 2>/dev/null
