#include "core/resolve/evidence.h"

#include "core/resolve/columns.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME_SIZE = 24 };

static enum status evidence_make(size_t count, struct evidence *evidence, struct error *error) {
  evidence->values = malloc((count + 1) * sizeof *evidence->values);
  evidence->dictionary = map_new();
  if (evidence->values == NULL || evidence->dictionary == NULL) {
    return error_memory(error);
  }
  memset(evidence->values, 0xFF, count * sizeof *evidence->values);
  return OK;
}

enum status evidence_none(size_t count, struct evidence *evidence, struct error *error) {
  *evidence = (struct evidence){0};
  return evidence_make(count, evidence, error);
}

void evidence_free(struct evidence *evidence) {
  free(evidence->values);
  map_free(evidence->dictionary);
  *evidence = (struct evidence){0};
}

/* By row that begins a cluster: the least row id of its members, which does not depend on where rows stand. */
static int64_t *name_clusters(const struct staged_rows *rows, const uint32_t *cluster) {
  int64_t *least = malloc((rows->count + 1) * sizeof *least);
  for (size_t i = 0; least != NULL && i < rows->count; i++) {
    least[i] = INT64_MAX;
  }
  for (size_t i = 0; least != NULL && i < rows->count; i++) {
    int64_t *name = &least[cluster[i]];
    *name = rows->row_id[i] < *name ? rows->row_id[i] : *name;
  }
  return least;
}

enum status evidence_of_cases(const struct staged_rows *persons, const struct staged_rows *cases,
                              const uint32_t *case_cluster, struct evidence *evidence, struct error *error) {
  *evidence = (struct evidence){0};
  uint32_t *own = columns_own_case(persons, cases);
  int64_t *names = name_clusters(cases, case_cluster);
  enum status status = own == NULL || names == NULL ? error_memory(error) : OK;
  status = status == OK ? evidence_make(persons->count, evidence, error) : status;
  for (size_t i = 0; status == OK && i < persons->count; i++) {
    char name[NAME_SIZE];
    if (own[i] != LINK_MISSING) {
      int length = snprintf(name, sizeof name, "%lld", (long long)names[case_cluster[own[i]]]);
      evidence->values[i] = map_intern(evidence->dictionary, slice_make(name, (size_t)length));
      status = evidence->values[i] == MAP_NONE ? error_memory(error) : OK;
    }
  }
  free(own);
  free(names);
  return status;
}

/* A person's cluster in a case. */
struct share {
  uint32_t at; /* the case */
  int64_t name;
};

static int by_case(const void *a, const void *b) {
  const struct share *x = a;
  const struct share *y = b;
  if (x->at != y->at) {
    return x->at < y->at ? -1 : 1;
  }
  return (x->name > y->name) - (x->name < y->name);
}

/* The text of one case's shares. */
static enum status tell_people(const struct share *shares, size_t count, struct buffer *text, struct evidence *evidence,
                               struct error *error) {
  buffer_reset(text);
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || shares[i].name != shares[i - 1].name) {
      buffer_printf(text, "%s%lld", i == 0 ? "" : ";", (long long)shares[i].name);
    }
  }
  enum status status = buffer_check(text, _("the list of people of a case"), error);
  if (status == OK) {
    uint32_t *value = &evidence->values[shares[0].at];
    *value = map_intern(evidence->dictionary, buffer_view(text));
    status = *value == MAP_NONE ? error_memory(error) : OK;
  }
  return status;
}

static enum status tell_cases(struct share *shares, size_t count, struct evidence *evidence, struct error *error) {
  struct buffer text;
  enum status status = OK;
  buffer_init(&text, 1 << 24);
  if (count > 0) {
    qsort(shares, count, sizeof *shares, by_case);
  }
  for (size_t i = 0; status == OK && i < count;) {
    size_t length = 1;
    while (i + length < count && shares[i + length].at == shares[i].at) {
      length++;
    }
    status = tell_people(shares + i, length, &text, evidence, error);
    i += length;
  }
  buffer_free(&text);
  return status;
}

enum status evidence_of_people(const struct staged_rows *persons, const struct staged_rows *cases,
                               const uint32_t *person_cluster, struct evidence *evidence, struct error *error) {
  *evidence = (struct evidence){0};
  uint32_t *own = columns_own_case(persons, cases);
  int64_t *names = name_clusters(persons, person_cluster);
  struct share *shares = malloc((persons->count + 1) * sizeof *shares);
  size_t count = 0;
  enum status status = own == NULL || names == NULL || shares == NULL ? error_memory(error) : OK;
  status = status == OK ? evidence_make(cases->count, evidence, error) : status;
  for (size_t i = 0; status == OK && i < persons->count; i++) {
    if (own[i] != LINK_MISSING && persons->sealed[i] == 0) {
      shares[count++] = (struct share){.at = own[i], .name = names[person_cluster[i]]};
    }
  }
  status = status == OK ? tell_cases(shares, count, evidence, error) : status;
  free(own);
  free(names);
  free(shares);
  return status;
}
