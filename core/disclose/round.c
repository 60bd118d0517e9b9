#include "core/disclose/disclose.h"

#include <sodium.h>
#include <stdio.h>

int64_t disclose_round(const uint8_t seed[32], const char *cell, int64_t count, int base) {
  uint8_t out[crypto_generichash_BYTES];
  char number[32];
  crypto_generichash_state state;
  int64_t rest = base < 2 ? 0 : count % base;
  if (rest == 0) {
    return count;
  }
  int len = snprintf(number, sizeof number, "|%lld|%d", (long long)count, base);
  crypto_generichash_init(&state, seed, 32, sizeof out);
  crypto_generichash_update(&state, (const uint8_t *)cell, strlen(cell));
  crypto_generichash_update(&state, (const uint8_t *)number, (size_t)len);
  crypto_generichash_final(&state, out, sizeof out);
  uint32_t draw = (uint32_t)out[0] | (uint32_t)out[1] << 8 | (uint32_t)out[2] << 16 | (uint32_t)out[3] << 24;
  return draw % (uint32_t)base < (uint32_t)rest ? count - rest + base : count - rest;
}

int disclose_share(int64_t seen, int64_t units, int k) {
  return units < (int64_t)20 * k || units == 0 ? -1 : (int)(seen * 20 / units) * 5;
}
