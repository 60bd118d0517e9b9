/* Sorting of many numbers: least significant byte first, bytes that are equal in all keys passed over. */
#ifndef PUENTE_BASE_RADIX_H
#define PUENTE_BASE_RADIX_H

#include <stddef.h>
#include <stdint.h>

/* Sorts `keys` in ascending order; `scratch` has room for as many. */
void radix_sort(uint64_t *keys, uint64_t *scratch, size_t count);

#endif
