/* Names, as pairs of surnames, as given names, as whole names: levels as plan.h lists them. */
#include "core/link/compare.h"

/* How two names stand to each other. Fuzzy: a Jaro-Winkler similarity of the comparison's threshold, a slip of the pen
 * (one edit from 5 letters, two from 8), or one within the other. Sound: of one Spanish or Andean key. */
enum relation { APART, BY_SOUND, FUZZY, EXACT };
/* Questions that the cache answers, beside the comparison. */
enum { ABOUT_TOKENS = 1 << 8, ABOUT_NAMES = 2 << 8, ABOUT_GIVEN = 3 << 8 };
enum { SLIP_LENGTH = 5, TWO_SLIPS_LENGTH = 8 };

static struct looked look_at_token(const struct token *token) {
  return (struct looked){.text = token->text, .signature = token->signature, .length = token->length};
}

static struct looked look_at_name(const struct name_value *name) {
  return (struct looked){.text = name->text, .signature = name->signature, .length = name->length};
}

static int slips(const struct looked *x, const struct looked *y) {
  unsigned shorter = x->length < y->length ? x->length : y->length;
  return shorter >= TWO_SLIPS_LENGTH ? 2 : shorter >= SLIP_LENGTH ? 1 : 0;
}

static inline bool slip_may_be(const struct looked *x, const struct looked *y) {
  int edits = slips(x, y);
  unsigned difference = x->length < y->length ? y->length - x->length : x->length - y->length;
  return edits > 0 && difference <= (unsigned)edits && bits_of(x->signature ^ y->signature) <= 2 * (unsigned)edits;
}

static bool is_slip(const struct looked *x, const struct looked *y) {
  return slip_may_be(x, y) && looked_within(x, y, slips(x, y));
}

static bool is_fuzzy(const struct comparison_values *values, const struct looked *x, const struct looked *y) {
  return is_slip(x, y)
         || (alike_can_be(values->bounds[0], x, y) && looked_jaro_winkler(x, y) >= values->comparison->fuzzy);
}

static inline bool may_be_fuzzy(const struct comparison_values *values, const struct looked *x,
                                const struct looked *y) {
  return alike_may_be(values->bounds[0], x, y) || slip_may_be(x, y);
}

static inline bool may_sound(uint32_t sound_x, uint32_t sound_y, uint32_t andean_x, uint32_t andean_y) {
  return (sound_x == sound_y && sound_x != MAP_NONE) || (andean_x == andean_y && andean_x != MAP_NONE);
}

static bool sounds_alike(const struct standard *standard, uint32_t a, uint32_t b) {
  const struct token *x = &standard->token[a];
  const struct token *y = &standard->token[b];
  return (x->sound != MAP_NONE && x->sound == y->sound && standard_sounds_alike(standard, a, b))
         || (x->andean != MAP_NONE && x->andean == y->andean && standard_andean_alike(standard, a, b));
}

static enum relation token_relation(struct compare_cache *cache, const struct comparison_values *values, uint32_t a,
                                    uint32_t b) {
  const struct standard *standard = values->names->standard;
  uint32_t what = ABOUT_TOKENS | (uint32_t)values->row;
  if (a == b) {
    return EXACT;
  }
  const struct token *x = &standard->token[a];
  const struct token *y = &standard->token[b];
  struct looked left = look_at_token(x);
  struct looked right = look_at_token(y);
  if (!may_be_fuzzy(values, &left, &right) && !may_sound(x->sound, y->sound, x->andean, y->andean)) {
    return APART;
  }
  struct cached *cached = cache_at(cache, what, &a, &b);
  if (!cache_holds(cached, what, a, b)) {
    enum relation relation = is_fuzzy(values, &left, &right) ? FUZZY : sounds_alike(standard, a, b) ? BY_SOUND : APART;
    *cached = (struct cached){.a = a, .b = b, .what = what, .answer = relation};
  }
  return cached->answer;
}

/* The best relation of a token to one of a name that is not `used` yet; that one is then. */
static enum relation find_partner(struct compare_cache *cache, const struct comparison_values *values, uint32_t token,
                                  const struct name_value *name, unsigned *used) {
  const uint32_t *tokens = names_tokens(values->names, name);
  enum relation best = APART;
  unsigned at = 0;
  for (unsigned j = 0; j < name->count && best < EXACT; j++) {
    enum relation relation = *used >> j & 1U ? APART : token_relation(cache, values, token, tokens[j]);
    if (relation > best) {
      best = relation;
      at = j;
    }
  }
  *used |= best == APART ? 0 : 1U << at;
  return best;
}

/* The least relation, of `least` and better, by which each token of the shorter name has a token of its own in the
 * longer one; APART where one has none. */
static enum relation within(struct compare_cache *cache, const struct comparison_values *values,
                            const struct name_value *x, const struct name_value *y, enum relation least) {
  const struct name_value *shorter = x->count <= y->count ? x : y;
  const struct name_value *longer = shorter == x ? y : x;
  const uint32_t *few = names_tokens(values->names, shorter);
  enum relation worst = EXACT;
  unsigned used = 0;
  for (unsigned i = 0; i < shorter->count; i++) {
    enum relation best = find_partner(cache, values, few[i], longer, &used);
    if (best < least) {
      return APART;
    }
    worst = best < worst ? best : worst;
  }
  return worst;
}

static enum relation relate_several(struct compare_cache *cache, const struct comparison_values *values, uint32_t a,
                                    uint32_t b) {
  const struct names *names = values->names;
  /* Which name's tokens choose first matters where both have as many: content decides. */
  bool turned = names->numbering.hashes[a] > names->numbering.hashes[b];
  const struct name_value *x = &names->values[turned ? b : a];
  const struct name_value *y = &names->values[turned ? a : b];
  struct looked left = look_at_name(x);
  struct looked right = look_at_name(y);
  enum relation relation = within(cache, values, x, y, BY_SOUND);
  if (relation < FUZZY && is_fuzzy(values, &left, &right)) {
    return FUZZY;
  }
  return relation == EXACT ? FUZZY : relation;
}

/* Of two names that differ. */
static enum relation relate(struct compare_cache *cache, const struct comparison_values *values, uint32_t a,
                            uint32_t b) {
  if (a == LINK_MISSING || b == LINK_MISSING) {
    return APART;
  }
  const struct name_value *x = &values->names->values[a];
  const struct name_value *y = &values->names->values[b];
  uint32_t what = ABOUT_NAMES | (uint32_t)values->row;
  if (x->count == 1 && y->count == 1) {
    struct looked left = look_at_name(x);
    struct looked right = look_at_name(y);
    if (!may_be_fuzzy(values, &left, &right) && !may_sound(x->sound, y->sound, x->andean, y->andean)) {
      return APART;
    }
    return token_relation(cache, values, x->near[0], y->near[0]);
  }
  struct cached *cached = cache_at(cache, what, &a, &b);
  if (!cache_holds(cached, what, a, b)) {
    enum relation relation = relate_several(cache, values, a, b);
    /* Its tokens may have taken the place meanwhile. */
    *cached = (struct cached){.a = a, .b = b, .what = what, .answer = relation};
  }
  return cached->answer;
}

/* ---- surnames ---- */

unsigned tell_same_surnames(const struct comparison_values *values, uint32_t value) {
  return values->pairs.pairs[value].first == LINK_MISSING ? SURNAMES_MATERNAL_ONLY : SURNAMES_BOTH_EXACT;
}

static bool both_there(uint32_t a, uint32_t b) {
  return a != LINK_MISSING && b != LINK_MISSING;
}

static bool same_there(uint32_t a, uint32_t b) {
  return a != LINK_MISSING && a == b;
}

/* One of the four surnames, or more, is missing: what is there is compared. */
static unsigned tell_part(struct compare_cache *cache, const struct comparison_values *values, struct number_pair x,
                          struct number_pair y) {
  if (same_there(x.first, y.first)) {
    return SURNAMES_PATERNAL_EXACT;
  }
  if (same_there(x.second, y.second) || same_there(x.first, y.second) || same_there(x.second, y.first)) {
    return SURNAMES_MATERNAL_ONLY;
  }
  if (both_there(x.first, y.first)) {
    enum relation relation = relate(cache, values, x.first, y.first);
    return relation == APART ? SURNAMES_ELSE : relation == FUZZY ? SURNAMES_BOTH_FUZZY : SURNAMES_PHONETIC;
  }
  if (both_there(x.second, y.second)) {
    return relate(cache, values, x.second, y.second) == APART ? SURNAMES_ELSE : SURNAMES_MATERNAL_ONLY;
  }
  return TELL_MISSING;
}

/* All four are there, and none is equal to its counterpart: straight, else crossed. */
static unsigned tell_alike(struct compare_cache *cache, const struct comparison_values *values, struct number_pair x,
                           struct number_pair y) {
  enum relation first = relate(cache, values, x.first, y.first);
  enum relation second = first == APART ? APART : relate(cache, values, x.second, y.second);
  enum relation straight = first < second ? first : second;
  if (straight == FUZZY) {
    return SURNAMES_BOTH_FUZZY;
  }
  first = x.first == y.second ? EXACT : relate(cache, values, x.first, y.second);
  second = first == APART ? APART : x.second == y.first ? EXACT : relate(cache, values, x.second, y.first);
  enum relation crossed = first < second ? first : second;
  if (crossed >= FUZZY || (crossed == BY_SOUND && (first == EXACT || second == EXACT))) {
    return SURNAMES_BOTH_FUZZY;
  }
  return straight == BY_SOUND || crossed == BY_SOUND ? SURNAMES_PHONETIC : SURNAMES_ELSE;
}

unsigned tell_surnames(struct compare_cache *cache, const struct comparison_values *values, uint32_t a, uint32_t b) {
  struct number_pair x = values->pairs.pairs[a];
  struct number_pair y = values->pairs.pairs[b];
  if (x.first == LINK_MISSING || x.second == LINK_MISSING || y.first == LINK_MISSING || y.second == LINK_MISSING) {
    return tell_part(cache, values, x, y);
  }
  if (x.first == y.second && x.second == y.first) {
    return SURNAMES_BOTH_SWAPPED;
  }
  /* Where one is exact, the other may be alike by sound alone. */
  if (x.first == y.first) {
    return relate(cache, values, x.second, y.second) == APART ? SURNAMES_PATERNAL_CONFLICT : SURNAMES_BOTH_FUZZY;
  }
  if (x.second == y.second) {
    return relate(cache, values, x.first, y.first) == APART ? SURNAMES_MATERNAL_ONLY : SURNAMES_BOTH_FUZZY;
  }
  return tell_alike(cache, values, x, y);
}

/* ---- given names ---- */

/* Each token of the shorter name is one of the longer's or an initial of one, or one of the longer's is its initial. */
static bool initials_agree(const struct names *names, const struct name_value *x, const struct name_value *y) {
  const struct name_value *shorter = x->count <= y->count ? x : y;
  const struct name_value *longer = shorter == x ? y : x;
  const uint32_t *few = names_tokens(names, shorter);
  const uint32_t *many = names_tokens(names, longer);
  unsigned used = 0;
  unsigned left = 0;
  for (unsigned i = 0; i < shorter->count; i++) {
    unsigned j = 0;
    while (j < longer->count && ((used >> j & 1U) != 0 || few[i] != many[j])) {
      j++;
    }
    used |= j < longer->count ? 1U << j : 0;
    left |= j < longer->count ? 0 : 1U << i;
  }
  for (unsigned i = 0; i < shorter->count; i++) {
    unsigned j = 0;
    if ((left >> i & 1U) == 0) {
      continue;
    }
    while (j < longer->count && ((used >> j & 1U) != 0 || !standard_initial(names->standard, few[i], many[j]))) {
      j++;
    }
    if (j == longer->count) {
      return false;
    }
    used |= 1U << j;
  }
  return true;
}

static bool shortened(const struct names *names, const struct name_value *x, const struct name_value *y) {
  for (unsigned i = 0; i < x->count; i++) {
    for (unsigned j = 0; j < y->count; j++) {
      uint32_t a = names_tokens(names, x)[i];
      uint32_t b = names_tokens(names, y)[j];
      if (a != b && standard_diminutive(names->standard, a, b)) {
        return true;
      }
    }
  }
  return false;
}

/* Of names of which neither holds the other. Where both have as many tokens, content decides whose choose first. */
static unsigned relate_given(struct compare_cache *cache, const struct comparison_values *values, uint32_t a,
                             uint32_t b) {
  const struct names *names = values->names;
  bool turned = names->numbering.hashes[a] > names->numbering.hashes[b];
  const struct name_value *x = &names->values[turned ? b : a];
  const struct name_value *y = &names->values[turned ? a : b];
  struct looked left = look_at_name(x);
  struct looked right = look_at_name(y);
  if ((x->initials || y->initials) && initials_agree(names, x, y)) {
    return GIVEN_INITIALS;
  }
  if (token_relation(cache, values, names_tokens(names, x)[0], names_tokens(names, y)[0]) != APART) {
    return GIVEN_FUZZY;
  }
  /* Ana María, Anamaría. */
  if (x->count != y->count
      && ((left.length == right.length && memcmp(left.text, right.text, left.length) == 0) || is_slip(&left, &right))) {
    return GIVEN_FUZZY;
  }
  return (x->shortened || y->shortened) && shortened(names, x, y) ? GIVEN_DIMINUTIVE : GIVEN_ELSE;
}

/* Whether given names of which neither holds the other can tell anything but "else". */
static bool given_may_agree(const struct comparison_values *values, const struct name_value *x,
                            const struct name_value *y) {
  const struct token *tokens = values->names->standard->token;
  const struct token *first = &tokens[names_tokens(values->names, x)[0]];
  const struct token *other = &tokens[names_tokens(values->names, y)[0]];
  struct looked left = look_at_token(first);
  struct looked right = look_at_token(other);
  if (x->initials || y->initials || x->shortened || y->shortened || first == other
      || may_be_fuzzy(values, &left, &right) || may_sound(first->sound, other->sound, first->andean, other->andean)) {
    return true;
  }
  left = look_at_name(x);
  right = look_at_name(y);
  return x->count != y->count && ((left.signature == right.signature) || slip_may_be(&left, &right));
}

/* Whether each token of the one is among the other's. */
static void find_common(const struct names *names, const struct name_value *x, const struct name_value *y, bool *all_x,
                        bool *all_y) {
  const uint32_t *few = names_tokens(names, x);
  const uint32_t *many = names_tokens(names, y);
  unsigned in_x = 0;
  unsigned in_y = 0;
  for (unsigned i = 0; i < x->count; i++) {
    for (unsigned j = 0; j < y->count; j++) {
      unsigned equal = few[i] == many[j];
      in_x |= equal << i;
      in_y |= equal << j;
    }
  }
  *all_x = in_x == (1U << x->count) - 1;
  *all_y = in_y == (1U << y->count) - 1;
}

static unsigned tell_given_names(struct compare_cache *cache, const struct comparison_values *values, uint32_t a,
                                 uint32_t b) {
  const struct names *names = values->names;
  const struct name_value *x = &names->values[a];
  const struct name_value *y = &names->values[b];
  uint32_t what = ABOUT_GIVEN | (uint32_t)values->row;
  if ((x->mask & y->mask) != 0) {
    bool all_x;
    bool all_y;
    find_common(names, x, y, &all_x, &all_y);
    if (all_x || all_y) {
      return all_x && all_y ? GIVEN_SAME_SET : GIVEN_SUBSET;
    }
  }
  if (!given_may_agree(values, x, y)) {
    return GIVEN_ELSE;
  }
  struct cached *cached = cache_at(cache, what, &a, &b);
  if (!cache_holds(cached, what, a, b)) {
    unsigned told = relate_given(cache, values, a, b);
    *cached = (struct cached){.a = a, .b = b, .what = what, .answer = told};
  }
  return cached->answer;
}

/* Whether the given names are all among the other's surnames. */
static bool among(const struct names *names, uint32_t given, uint32_t surnames) {
  if (surnames == LINK_MISSING) {
    return false;
  }
  const struct name_value *x = &names->values[given];
  const struct name_value *y = &names->values[surnames];
  if ((x->mask & ~y->mask) != 0 || x->count > y->count) {
    return false;
  }
  for (unsigned i = 0; i < x->count; i++) {
    unsigned j = 0;
    while (j < y->count && names_tokens(names, x)[i] != names_tokens(names, y)[j]) {
      j++;
    }
    if (j == y->count) {
      return false;
    }
  }
  return true;
}

unsigned tell_given(struct compare_cache *cache, const struct comparison_values *values, const uint32_t *a,
                    const uint32_t *b) {
  uint32_t x = a[values->row];
  uint32_t y = b[values->row];
  unsigned told = tell_given_names(cache, values, x, y);
  if (told == GIVEN_ELSE && values->hidden != 0
      && (among(values->names, x, b[values->hidden]) || among(values->names, y, a[values->hidden]))) {
    return GIVEN_SWAPPED;
  }
  return told;
}

/* ---- whole names ---- */

/* A slip in a word so short that by itself it may be another name: Luz and Lzu, Cruz and Criz. */
static bool is_short_slip(const struct standard *standard, uint32_t a, uint32_t b) {
  struct looked x = look_at_token(&standard->token[a]);
  struct looked y = look_at_token(&standard->token[b]);
  unsigned shorter = x.length < y.length ? x.length : y.length;
  unsigned longer = x.length < y.length ? y.length : x.length;
  return shorter >= 2 && shorter < SLIP_LENGTH && longer >= 3 && longer - shorter <= 1
         && bits_of(x.signature ^ y.signature) <= 2 && looked_within(&x, &y, 1);
}

/* Whether each token of the shorter name but one has a token of its own in the longer one, two of them at least, and
 * what is left is a short slip away from a token that is left there. */
static bool all_but_a_slip(struct compare_cache *cache, const struct comparison_values *values,
                           const struct name_value *x, const struct name_value *y) {
  const struct name_value *shorter = x->count <= y->count ? x : y;
  const struct name_value *longer = shorter == x ? y : x;
  const uint32_t *few = names_tokens(values->names, shorter);
  const uint32_t *many = names_tokens(values->names, longer);
  uint32_t left = MAP_NONE;
  unsigned used = 0;
  for (unsigned i = 0; i < shorter->count; i++) {
    enum relation best = find_partner(cache, values, few[i], longer, &used);
    if (best == APART && left != MAP_NONE) {
      return false;
    }
    left = best == APART ? few[i] : left;
  }
  for (unsigned j = 0; j < longer->count && left != MAP_NONE; j++) {
    if ((used >> j & 1U) == 0 && is_short_slip(values->names->standard, left, many[j])) {
      return true;
    }
  }
  return false;
}

/* Of whole names, where a single word says little. */
static bool initials_tell(const struct names *names, const struct name_value *x, const struct name_value *y) {
  return x->count > 1 && y->count > 1 && (x->initials || y->initials) && initials_agree(names, x, y);
}

unsigned tell_name(struct compare_cache *cache, const struct comparison_values *values, uint32_t a, uint32_t b) {
  const struct names *names = values->names;
  bool turned = names->numbering.hashes[a] > names->numbering.hashes[b];
  const struct name_value *x = &names->values[turned ? b : a];
  const struct name_value *y = &names->values[turned ? a : b];
  unsigned shorter = x->count < y->count ? x->count : y->count;
  enum relation relation = within(cache, values, x, y, BY_SOUND);
  /* A single word that others share says little. */
  if (relation == EXACT) {
    return shorter > 1 ? NAME_SUBSET : NAME_FUZZY;
  }
  if (relation != APART && (shorter > 1 || x->count == y->count)) {
    return NAME_FUZZY;
  }
  if (initials_tell(names, x, y)) {
    return NAME_FUZZY;
  }
  bool common = shorter > 2 && (x->mask & y->mask) != 0;
  return common && all_but_a_slip(cache, values, x, y) ? NAME_SLIP : NAME_ELSE;
}
