# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
# How the PAM module is built; part of the Makefile. CC, CFLAGS and LDFLAGS as usual, after ours.

PAM := host_tools/pam
PAM_SOURCES := $(wildcard $(PAM)/*.c)
PAM_FILES := $(PAM_SOURCES) $(wildcard $(PAM)/*.h) $(PAM)/export.map $(PAM)/pam.mk
PAM_WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Wformat=2 -Wnull-dereference \
	-Wmissing-prototypes -Wstrict-prototypes -Werror
PAM_CFLAGS := -std=gnu17 -D_GNU_SOURCE -fPIC -fvisibility=hidden $(PAM_WARNINGS)
PAM_HARDENED := -O2 -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
PAM_LDFLAGS := -shared -Wl,-z,relro,-z,now,-z,defs,-z,noexecstack,--as-needed

.PHONY: pam-headers
pam-headers:
	@echo '#include <security/pam_modules.h>' | $(CC) -E - >/dev/null 2>&1 || \
		{ echo 'The PAM module needs a C compiler and the headers of PAM: apt-get install gcc libpam0g-dev' >&2; exit 1; }

build/pam/pam_understudy.so: $(PAM_FILES) | pam-headers
	@mkdir -p $(@D)
	$(CC) $(PAM_CFLAGS) $(PAM_HARDENED) $(CFLAGS) $(PAM_LDFLAGS) -Wl,--version-script=$(PAM)/export.map \
		$(LDFLAGS) -o $@ $(PAM_SOURCES) -lpam

# For the tests: with sanitizers; with what makes its calls fail; and programs that use it.
PAM_TEST := build/pam/test
PAM_C := tests/login/c
PAM_SANITIZED := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
PAM_TEST_CFLAGS := $(filter-out -Wnull-dereference,$(PAM_CFLAGS)) -I$(PAM)
PAM_WRAPPED := socket connect getsockopt lstat send recv poll close clock_gettime getrandom pam_get_item pam_get_user
PAM_COMMA := ,

.PHONY: pam-test
pam-test: $(addprefix $(PAM_TEST)/,sanitized.so faults.so probe app app-plain) build/pam/pam_understudy.so

$(PAM_TEST)/sanitized.so: $(PAM_FILES) | pam-headers
	@mkdir -p $(@D)
	$(CC) $(PAM_TEST_CFLAGS) $(PAM_SANITIZED) -shared -o $@ $(PAM_SOURCES) -lpam

$(PAM_TEST)/faults.so: $(PAM_FILES) $(PAM_C)/faults.c | pam-headers
	@mkdir -p $(@D)
	$(CC) $(PAM_TEST_CFLAGS) $(PAM_SANITIZED) -shared -o $@ $(PAM_SOURCES) $(PAM_C)/faults.c -lpam \
		$(addprefix -Wl$(PAM_COMMA)--wrap=,$(PAM_WRAPPED))

$(PAM_TEST)/probe: $(PAM_FILES) $(PAM_C)/probe.c | pam-headers
	@mkdir -p $(@D)
	$(CC) $(PAM_TEST_CFLAGS) $(PAM_SANITIZED) -o $@ $(PAM)/conf.c $(PAM)/message.c $(PAM_C)/probe.c

$(PAM_TEST)/app: $(PAM_C)/app.c $(PAM)/pam.mk | pam-headers
	@mkdir -p $(@D)
	$(CC) $(PAM_TEST_CFLAGS) $(PAM_SANITIZED) -rdynamic -o $@ $< -lpam -lpthread

$(PAM_TEST)/app-plain: $(PAM_C)/app.c $(PAM)/pam.mk | pam-headers
	@mkdir -p $(@D)
	$(CC) $(PAM_TEST_CFLAGS) -O2 -DCOUNT_ALLOCATIONS -rdynamic -o $@ $< -lpam -lpthread
