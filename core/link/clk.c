#include "core/link/clk.h"

#include "core/base/digest.h"
#include "core/link/standard.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
  WIDE_BITS = 2 * CLK_BITS,
  WIDE_WORDS = WIDE_BITS / 64,
  POSITION_BITS = 11, /* of WIDE_BITS */
  LETTERS = 27,       /* blank and A to Z */
  FLIP_ROUNDS = 5,    /* a bit is turned where five drawn ones are set: 1/32 */
  FEATURES_MOST = 1 << 16,
  BANDS = 50,
  BAND_BITS = 20,
  BAND_STEP = 397 /* odd: each bit of a code is in one band at most */
};

/* The processor's own counting of bits, where it has it. */
#if defined(__x86_64__) && defined(__gnu_linux__)
#define FAST_BITS __attribute__((target_clones("popcnt", "default")))
#else
#define FAST_BITS
#endif

/* Bits that a feature sets. */
enum weight { WEIGHT_BIGRAM = 10, WEIGHT_DAY = 20, WEIGHT_MONTH = 16, WEIGHT_DECADE = 16, WEIGHT_YEAR = 16 };

struct positions {
  uint16_t at[WEIGHT_BIGRAM];
};

struct clk_maker {
  crypto_auth_hmacsha256_state keyed; /* has taken the key in; copied for each feature */
  struct positions bigrams[LETTERS * LETTERS];
  struct standard standard;
  bool ready;
};

/* ---- features ---- */

/* Up to 23 positions, 11 bits each, from one HMAC. */
static void draw_positions(const struct clk_maker *maker, struct slice feature, uint16_t *positions, size_t count) {
  uint8_t mac[crypto_auth_hmacsha256_BYTES];
  crypto_auth_hmacsha256_state state = maker->keyed;
  crypto_auth_hmacsha256_update(&state, (const unsigned char *)feature.data, feature.len);
  crypto_auth_hmacsha256_final(&state, mac);
  for (size_t i = 0; i < count; i++) {
    size_t bit = i * POSITION_BITS, byte = bit / 8;
    uint32_t three = mac[byte];
    three |= (uint32_t)mac[byte + 1] << 8;
    three |= byte + 2 < sizeof mac ? (uint32_t)mac[byte + 2] << 16 : 0;
    positions[i] = (uint16_t)(three >> bit % 8 & (WIDE_BITS - 1));
  }
  sodium_memzero(mac, sizeof mac);
}

static void set_bits(uint64_t filter[WIDE_WORDS], const uint16_t *positions, size_t count) {
  for (size_t i = 0; i < count; i++) {
    filter[positions[i] / 64] |= UINT64_C(1) << positions[i] % 64;
  }
}

static int letter(char byte) {
  return byte == ' ' ? 0 : byte >= 'A' && byte <= 'Z' ? byte - 'A' + 1 : -1;
}

static void add_bigram(const struct clk_maker *maker, char first, char second, uint64_t filter[WIDE_WORDS]) {
  int a = letter(first), b = letter(second);
  if (a >= 0 && b >= 0) {
    set_bits(filter, maker->bigrams[a * LETTERS + b].at, WEIGHT_BIGRAM);
    return;
  }
  struct positions drawn;
  const char feature[] = {'n', first, second};
  draw_positions(maker, slice_make(feature, sizeof feature), drawn.at, WEIGHT_BIGRAM);
  set_bits(filter, drawn.at, WEIGHT_BIGRAM);
}

static void add_word(const struct clk_maker *maker, struct slice word, uint64_t filter[WIDE_WORDS]) {
  char before = ' ';
  for (size_t i = 0; i < word.len; i++) {
    add_bigram(maker, before, word.data[i], filter);
    before = word.data[i];
  }
  add_bigram(maker, before, ' ', filter);
}

static void add_number(const struct clk_maker *maker, char kind, int number, enum weight weight,
                       uint64_t filter[WIDE_WORDS]) {
  uint16_t positions[WEIGHT_DAY];
  const char feature[] = {kind, (char)('0' + number / 100), (char)('0' + number / 10 % 10), (char)('0' + number % 10)};
  draw_positions(maker, slice_make(feature, sizeof feature), positions, weight);
  set_bits(filter, positions, weight);
}

static void add_date(const struct clk_maker *maker, struct slice text, uint64_t filter[WIDE_WORDS]) {
  struct date date;
  if (text.len == 0 || !standard_date(text, &date)) {
    return;
  }
  add_number(maker, 'e', date.year / 10, WEIGHT_DECADE, filter);
  add_number(maker, 'y', date.year % 10, WEIGHT_YEAR, filter);
  if (date.precision != DATE_YEAR) {
    add_number(maker, 'm', date.month, WEIGHT_MONTH, filter);
  }
  if (date.precision == DATE_DAY) {
    add_number(maker, 'd', date.day, WEIGHT_DAY, filter);
  }
}

/* ---- making ---- */

static enum status make_ready(struct clk_maker *maker, struct error *error) {
  if (maker->ready && map_count(maker->standard.tokens) > FEATURES_MOST) {
    standard_free(&maker->standard); /* words are kept for speed alone */
    maker->ready = false;
  }
  if (maker->ready) {
    return OK;
  }
  enum status status = standard_init(&maker->standard, error);
  maker->ready = status == OK;
  return status;
}

enum status clk_maker_new(const uint8_t key[CLK_KEY_SIZE], struct clk_maker **made, struct error *error) {
  struct clk_maker *maker = sodium_init() < 0 ? NULL : sodium_malloc(sizeof *maker);
  *made = NULL;
  if (maker == NULL) {
    return error_memory(error);
  }
  memset(maker, 0, sizeof *maker);
  crypto_auth_hmacsha256_init(&maker->keyed, key, CLK_KEY_SIZE);
  crypto_auth_hmacsha256_update(&maker->keyed, (const unsigned char *)CLK_VERSION, sizeof CLK_VERSION);
  for (int a = 0; a < LETTERS; a++) {
    for (int b = 0; b < LETTERS; b++) {
      const char feature[] = {'n', (char)(a == 0 ? ' ' : 'A' + a - 1), (char)(b == 0 ? ' ' : 'A' + b - 1)};
      draw_positions(maker, slice_make(feature, sizeof feature), maker->bigrams[a * LETTERS + b].at, WEIGHT_BIGRAM);
    }
  }
  enum status status = make_ready(maker, error);
  if (status != OK) {
    sodium_free(maker);
    return status;
  }
  *made = maker;
  return OK;
}

void clk_maker_free(struct clk_maker *maker) {
  if (maker != NULL) {
    standard_free(&maker->standard);
    sodium_free(maker);
  }
}

/* Folds, then flips by what the whole filter draws. */
static void harden(const struct clk_maker *maker, const uint64_t filter[WIDE_WORDS], struct clk *code) {
  uint8_t seed[crypto_auth_hmacsha256_BYTES], bytes[WIDE_WORDS * 8];
  uint8_t drawn[FLIP_ROUNDS][CLK_WORDS][8];
  static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
  for (size_t i = 0; i < WIDE_WORDS; i++) {
    for (unsigned byte = 0; byte < 8; byte++) {
      bytes[i * 8 + byte] = (uint8_t)(filter[i] >> (8 * byte));
    }
  }
  crypto_auth_hmacsha256_state state = maker->keyed;
  crypto_auth_hmacsha256_update(&state, (const unsigned char *)"flip", 4);
  crypto_auth_hmacsha256_update(&state, bytes, sizeof bytes);
  crypto_auth_hmacsha256_final(&state, seed);
  crypto_stream_chacha20(&drawn[0][0][0], sizeof drawn, nonce, seed);
  for (size_t i = 0; i < CLK_WORDS; i++) {
    uint64_t flips = UINT64_MAX;
    for (size_t round = 0; round < FLIP_ROUNDS; round++) {
      uint64_t word = 0;
      for (unsigned byte = 0; byte < 8; byte++) {
        word |= (uint64_t)drawn[round][i][byte] << (8 * byte);
      }
      flips &= word;
    }
    code->words[i] = filter[i] ^ filter[i + CLK_WORDS] ^ flips;
  }
  sodium_memzero(seed, sizeof seed);
  sodium_memzero(bytes, sizeof bytes);
}

/* Words that were not there before. */
static size_t note_words(const struct name *name, uint32_t *seen, size_t count, size_t most) {
  for (uint32_t i = 0; i < name->count; i++) {
    bool known = false;
    for (size_t j = 0; j < count; j++) {
      known = known || seen[j] == name->tokens[i];
    }
    if (!known && count < most) {
      seen[count++] = name->tokens[i];
    }
  }
  return count;
}

enum status clk_make(struct clk_maker *maker, const struct clk_person *person, struct clk *code, bool *made,
                     struct error *error) {
  uint32_t words[CLK_NAMES_MOST * NAME_TOKENS_MOST];
  uint64_t filter[WIDE_WORDS] = {0};
  size_t count = 0;
  *made = false;
  enum status status = make_ready(maker, error);
  for (size_t i = 0; i < person->name_count && i < CLK_NAMES_MOST && status == OK; i++) {
    struct name name;
    if (person->names[i].len == 0) {
      continue;
    }
    status = standard_name(&maker->standard, person->names[i], &name, error);
    count = status == OK ? note_words(&name, words, count, sizeof words / sizeof *words) : count;
  }
  if (status != OK || count < 2) {
    return status;
  }
  for (size_t i = 0; i < count; i++) {
    add_word(maker, standard_token(&maker->standard, words[i]), filter);
  }
  add_date(maker, person->birth_date, filter);
  harden(maker, filter, code);
  sodium_memzero(filter, sizeof filter);
  *made = true;
  return OK;
}

/* ---- text ---- */

void clk_write(const struct clk *code, char text[CLK_TEXT_SIZE + 1]) {
  static const char head[] = CLK_VERSION ":";
  uint8_t bytes[CLK_BITS / 8];
  for (size_t i = 0; i < sizeof bytes; i++) {
    bytes[i] = (uint8_t)(code->words[i / 8] >> (8 * (i % 8)));
  }
  memcpy(text, head, sizeof head - 1);
  hex_format(bytes, sizeof bytes, text + sizeof head - 1);
}

bool clk_parse(struct slice text, struct clk *code) {
  static const char head[] = CLK_VERSION ":";
  uint8_t bytes[CLK_BITS / 8];
  size_t skip = sizeof head - 1;
  if (text.len != CLK_TEXT_SIZE || memcmp(text.data, head, skip) != 0
      || !hex_parse(slice_make(text.data + skip, text.len - skip), bytes, sizeof bytes)) {
    return false;
  }
  *code = (struct clk){{0}};
  for (size_t i = 0; i < sizeof bytes; i++) {
    code->words[i / 8] |= (uint64_t)bytes[i] << (8 * (i % 8));
  }
  return true;
}

/* ---- comparing ---- */

static unsigned bits_of(const struct clk *code) {
  unsigned bits = 0;
  for (size_t i = 0; i < CLK_WORDS; i++) {
    bits += (unsigned)__builtin_popcountll(code->words[i]);
  }
  return bits;
}

static unsigned common_bits(const struct clk *a, const struct clk *b) {
  unsigned bits = 0;
  for (size_t i = 0; i < CLK_WORDS; i++) {
    bits += (unsigned)__builtin_popcountll(a->words[i] & b->words[i]);
  }
  return bits;
}

double clk_dice(const struct clk *a, const struct clk *b) {
  unsigned both = bits_of(a) + bits_of(b);
  return both == 0 ? 0 : 2.0 * common_bits(a, b) / both;
}

struct band {
  uint16_t at[BAND_BITS];
};

static void make_bands(struct band bands[BANDS]) {
  for (unsigned i = 0; i < BANDS * BAND_BITS; i++) {
    bands[i / BAND_BITS].at[i % BAND_BITS] = (uint16_t)(i * BAND_STEP % CLK_BITS);
  }
}

static uint32_t band_key(const struct band *band, const struct clk *code) {
  uint32_t key = 0;
  for (size_t i = 0; i < BAND_BITS; i++) {
    key = key << 1 | (uint32_t)(code->words[band->at[i] / 64] >> band->at[i] % 64 & 1);
  }
  return key;
}

struct walk {
  const struct clk *codes;
  size_t count, first;
  double least;
  uint32_t *keys;   /* of each code, of the present band */
  uint32_t *starts; /* of each key in what follows; after sort_band: ends */
  /* in order of key and position, so that those of the first part come first and a block is read in one go */
  uint32_t *order, *hits;
  unsigned *bits;
  struct clk *sorted;
  struct band bands[BANDS];
  clk_visitor *visit;
  void *context;
  uint64_t compared;
};

static void sort_band(struct walk *walk, const struct band *band) {
  memset(walk->starts, 0, ((1U << BAND_BITS) + 1) * sizeof *walk->starts);
  for (size_t i = 0; i < walk->count; i++) {
    walk->keys[i] = band_key(band, &walk->codes[i]);
    walk->starts[walk->keys[i] + 1]++;
  }
  for (size_t key = 0; key < 1U << BAND_BITS; key++) {
    walk->starts[key + 1] += walk->starts[key];
  }
  for (size_t i = 0; i < walk->count; i++) {
    uint32_t at = walk->starts[walk->keys[i]]++;
    walk->order[at] = (uint32_t)i;
    walk->sorted[at] = walk->codes[i];
    walk->bits[at] = bits_of(&walk->codes[i]);
  }
}

static bool met_before(const struct walk *walk, size_t band, const struct clk *a, const struct clk *b) {
  for (size_t i = 0; i < band; i++) {
    if (band_key(&walk->bands[i], a) == band_key(&walk->bands[i], b)) {
      return true;
    }
  }
  return false;
}

/* Places from `from` to `to` that are alike enough to the one at `at`. */
FAST_BITS static size_t scan(const struct walk *walk, size_t at, size_t from, size_t to) {
  const struct clk code = walk->sorted[at];
  size_t found = 0;
  for (size_t i = from; i < to; i++) {
    unsigned both = walk->bits[at] + walk->bits[i], common = 0;
    for (size_t word = 0; word < CLK_WORDS; word++) {
      common += (unsigned)__builtin_popcountll(code.words[word] & walk->sorted[i].words[word]);
    }
    if (both > 0 && 2.0 * common >= walk->least * both) {
      walk->hits[found++] = (uint32_t)i;
    }
  }
  return found;
}

static enum status walk_band(struct walk *walk, size_t band, struct error *error) {
  enum status status = OK;
  sort_band(walk, &walk->bands[band]);
  for (size_t i = 0; i < walk->count && status == OK; i++) {
    uint32_t a = walk->order[i];
    size_t end = walk->starts[walk->keys[a]];
    if (a >= walk->first) {
      continue;
    }
    size_t found = scan(walk, i, i + 1, end);
    walk->compared += end - i - 1;
    for (size_t hit = 0; hit < found && status == OK; hit++) {
      uint32_t b = walk->order[walk->hits[hit]];
      if (!met_before(walk, band, &walk->codes[a], &walk->codes[b])) {
        status = walk->visit(walk->context, a, b, clk_dice(&walk->codes[a], &walk->codes[b]), error);
      }
    }
  }
  return status;
}

static bool walk_room(struct walk *walk) {
  size_t count = walk->count + 1;
  walk->keys = malloc(count * sizeof *walk->keys);
  walk->starts = malloc(((1U << BAND_BITS) + 1) * sizeof *walk->starts);
  walk->order = malloc(count * sizeof *walk->order);
  walk->hits = malloc(count * sizeof *walk->hits);
  walk->bits = malloc(count * sizeof *walk->bits);
  walk->sorted = malloc(count * sizeof *walk->sorted);
  return walk->keys != NULL && walk->starts != NULL && walk->order != NULL && walk->hits != NULL && walk->bits != NULL
         && walk->sorted != NULL;
}

enum status clk_pairs(const struct clk *codes, size_t count, size_t first, double least, clk_visitor *visit,
                      void *context, uint64_t *compared, struct error *error) {
  struct walk walk = {
      .codes = codes, .count = count, .first = first, .least = least, .visit = visit, .context = context};
  enum status status = walk_room(&walk) ? OK : error_memory(error);
  make_bands(walk.bands);
  for (size_t band = 0; band < BANDS && status == OK; band++) {
    status = walk_band(&walk, band, error);
  }
  if (compared != NULL) {
    *compared = walk.compared;
  }
  free(walk.keys);
  free(walk.starts);
  free(walk.order);
  free(walk.hits);
  free(walk.bits);
  free(walk.sorted);
  return status;
}
