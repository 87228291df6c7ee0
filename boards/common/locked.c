// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Understudy authors
// A locked image's ends: wherever MicroPython or the SDK would open a prompt or stand still, the chip restarts.
//
// The watchdog's scratch register 0 outlives the restart; ports/micropython.py looks there for how the last run
// ended (data sheets: RP2040 4.7.6, RP2350 12.9.7).

#include "hardware/structs/watchdog.h"
#include "hardware/sync.h"
#include "hardware/watchdog.h"
#include "pico/platform.h"

#include "py/obj.h"
#include "shared/runtime/pyexec.h"

#include "locked.h"

// The longest that the RP2040's counter holds, and what machine.WDT takes at most.
#define WATCHDOG_MS (8388)

// "fault" of ports/micropython.py.
#define ENDED_IN_A_FAULT (0x55534402)

void isr_hardfault(void);
void mp_hal_set_interrupt_char(int character);
void __wrap_nlr_jump_fail(void *exception);

static void __attribute__((noreturn)) restart(void) {
    (void)save_and_disable_interrupts();
    watchdog_hw->scratch[0] = ENDED_IN_A_FAULT;
    watchdog_reboot(0, 0, 0);
    for (;;) {
        tight_loop_contents();
    }
}

void understudy_arm_watchdog(void) {
    watchdog_enable(WATCHDOG_MS, false);
}

void understudy_soft_reset(void) {
    restart();
}

// A bad address, or the breakpoint that ends abort() and panic(). The SDK's own handler is a breakpoint again, with
// which the core locks up.
void isr_hardfault(void) {
    restart();
}

// An exception outside any handler, in C.
void __wrap_nlr_jump_fail(void *exception) {
    (void)exception;
    restart();
}

// No character interrupts.
void mp_hal_set_interrupt_char(int character) {
    (void)character;
}

// main() comes to one of these when main.py has ended.
int pyexec_raw_repl(void) {
    restart();
}

int pyexec_friendly_repl(void) {
    restart();
}
