/* REPLACING THE WORKSPACE'S KEY FILE while others work. The root of digests stays (core/base/digest.h), and what it
 * digested; only what opens the store's data keys is new. Four steps, each of which leaves a store that opens:
 *
 *   1. the fresh key stands beside the file, as FILE.new
 *   2. one transaction wraps each data key, and the root, under the fresh key too: either file opens the store
 *   3. the present file is kept as FILE.former-XXXXXXXX, and FILE.new takes its name
 *   4. one transaction removes what was wrapped under the former file: it opens the store no more
 *
 * Interrupted anywhere, it goes on when it is asked for again. Handles that are open hold their data keys unwrapped;
 * one that meets a new key, or opens in between, reads the file again (core/store/ring.c). Copies of before open with
 * the former file alone. */
#ifndef PUENTE_SERVICE_REWRAP_H
#define PUENTE_SERVICE_REWRAP_H

#include "core/service/workspace.h"

#include <limits.h>

struct replaced_key {
  char former[PATH_MAX]; /* where the former file is; "" where the steps before were done by a run that ended early */
};
/* On a workspace opened for writing, by a named person with the right. */
enum status service_replace_key(struct workspace *workspace, struct replaced_key *replaced,
                                struct error *error) MUST_CHECK;

#endif
