/* Random numbers that depend on seed, stream and item only: any record can be made again by itself, at any time and in
 * any order, and nothing has to be kept. SplitMix64 (Steele, Lea, Flood 2014). */
#ifndef PUENTE_EXAMPLES_RANDOM_H
#define PUENTE_EXAMPLES_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
  uint64_t state;
};

static inline uint64_t random_mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

static inline uint64_t random_next(struct random *random) {
  random->state += 0x9e3779b97f4a7c15U;
  return random_mix(random->state);
}

static inline struct random random_start(uint64_t seed, uint64_t stream, uint64_t item) {
  struct random random = {random_mix(seed + 0x9e3779b97f4a7c15U)};
  random.state = random_mix(random.state ^ (stream * 0xd1342543de82ef95U));
  random.state = random_mix(random.state ^ (item * 0xaf251af3b0f025b5U));
  return random;
}

/* 0 … bound − 1; the bias of the multiplication is below 2⁻³² for the bounds used here. */
static inline uint32_t random_below(struct random *random, uint32_t bound) {
  return (uint32_t)(((random_next(random) >> 32) * bound) >> 32);
}

static inline int random_between(struct random *random, int least, int most) {
  return least + (int)random_below(random, (uint32_t)(most - least + 1));
}

static inline double random_unit(struct random *random) {
  return (double)(random_next(random) >> 11) * 0x1.0p-53;
}

/* Always draws once, so that a changed rate moves no other draw. */
static inline bool random_chance(struct random *random, double rate) {
  return random_unit(random) < rate;
}

#endif
