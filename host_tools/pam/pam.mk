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
