# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
# debian.sh hold BASE WORK MODE: unpacks the tar file BASE into memory at WORK, an empty folder, and makes it a
# machine of its own: mounts, processes, network (loopback only), names, control groups. MODE is `boot`, systemd
# runs it, or `rest`, nothing does. It says the id of a process whose only child is the first one in there, and
# (before or after that) "ready", and holds it until its stdin ends; then all of it ends.
# To be run in a mount namespace of its own (unshare --mount --propagation private).
set -eu
stage=$1
base=$2
work=$3
mode=$4

case $stage in
hold)
    groups=$work.groups
    mkdir -p "$groups"
    mount -t cgroup2 cgroup2 "$groups"
    own=$groups/understudy-test-$$
    mkdir "$own"
    echo $$ >"$own/cgroup.procs"
    unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child \
        sh "$0" inside "$base" "$work" "$mode" </dev/null 3>&1 &
    child=$!
    echo "$child"
    echo $$ >"$groups/cgroup.procs"
    cat >/dev/null
    echo 1 >"$own/cgroup.kill"
    wait "$child" 2>/dev/null || true
    while grep -q 'populated 1' "$own/cgroup.events"; do :; done # its last processes are still being buried
    find "$own" -depth -type d -exec rmdir {} \;
    ;;
inside)
    mount -t tmpfs -o mode=755 debian "$work"
    tar -C "$work" -xf "$base"
    mount -t proc proc "$work/proc"
    mount --bind -o ro "$work/proc/sys" "$work/proc/sys" # the kernel's settings are the real machine's
    mount -t sysfs -o ro sysfs "$work/sys"
    mount -t cgroup2 cgroup2 "$work/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 debian "$work/run"
    mount -t tmpfs -o mode=1777 debian "$work/tmp"
    mount -t tmpfs -o mode=755 debian "$work/dev"
    for name in null zero full random urandom tty; do
        touch "$work/dev/$name"
        mount --bind "/dev/$name" "$work/dev/$name"
    done
    mkdir "$work/dev/pts" "$work/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$work/dev/pts"
    ln -s pts/ptmx "$work/dev/ptmx"
    mount -t tmpfs -o mode=1777 debian "$work/dev/shm"
    ln -s /proc/self/fd "$work/dev/fd"
    : >"$work/etc/machine-id"
    cd "$work"
    pivot_root . mnt
    umount -l /mnt
    echo ready >&3
    exec 3>&-
    if [ "$mode" = boot ]; then
        exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --show-status=no
    fi
    exec sleep infinity
    ;;
esac
