// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Understudy authors
// An image without a way to MicroPython's prompt: no byte sequence at any moment opens one, for there is none.

// Ctrl-C is a byte like any other, from reset on.
#define MICROPY_KBD_EXCEPTION                   (0)

// No REPL, exec, eval, compile or import of source: there is no compiler. Frozen code comes compiled.
#define MICROPY_ENABLE_COMPILER                 (0)

// No second console, neither on a stream nor on the UART's pins; both want the keyboard interrupt as well.
#define MICROPY_PY_OS_DUPTERM                   (0)
#define MICROPY_HW_ENABLE_UART_REPL             (0)

// No other USB device than the one serial port, and no line state of it that starts the boot loader.
#define MICROPY_HW_ENABLE_USB_RUNTIME_DEVICE    (0)
#define MICROPY_HW_USB_MSC                      (0)
#define MICROPY_HW_USB_CDC_1200BPS_TOUCH        (0)
#define MICROPY_HW_USB_CDC_DTR_RTS_BOOTLOADER   (0)

// Before any Python runs: the watchdog, so that a start-up that hangs ends in a restart too.
void understudy_arm_watchdog(void);
#define MICROPY_BOARD_STARTUP                   understudy_arm_watchdog

// SystemExit would start the interpreter anew, with the heap and the peripherals as they are: the chip restarts.
void understudy_soft_reset(void);
#define MICROPY_BOARD_START_SOFT_RESET          understudy_soft_reset
