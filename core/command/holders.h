/* `puente audit checkpoint --send` and `puente audit receipts`. */
#ifndef PUENTE_COMMAND_HOLDERS_H
#define PUENTE_COMMAND_HOLDERS_H

#include "core/command/command.h"

enum status holders_tell_sending(const struct globals *globals, struct error *error) MUST_CHECK;
enum status holders_tell_receipts(const struct globals *globals, struct error *error) MUST_CHECK;

#endif
