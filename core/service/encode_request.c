/* The columns of a file to be encoded, from YAML. */
#include "core/service/encode_file.h"

static const char *const PERSON_KEYS[] = {"names", "birth_date", "into", NULL};

static enum status read_person(const struct yaml *map, struct arena *arena, struct encode_person *person,
                               struct error *error) {
  const char **names = NULL;
  size_t count = 0;
  if (map->kind != YAML_MAP) {
    return yaml_error(map, error, "%s", _("a person is {names: [COLUMN…], birth_date: COLUMN, into: COLUMN}"));
  }
  enum status status = yaml_check_keys(map, PERSON_KEYS, error);
  status = status == OK ? yaml_texts(map, "names", arena, &names, &count, error) : status;
  if (status == OK && (count == 0 || count > CLK_NAMES_MOST)) {
    status = yaml_error(map, error, _("a person has between 1 and %d columns of names"), CLK_NAMES_MOST);
  }
  if (status != OK) {
    return status;
  }
  *person = (struct encode_person){.name_count = count,
                                   .birth_date = yaml_text(map, "birth_date", NULL),
                                   .into = yaml_text(map, "into", ENCODE_INTO)};
  memcpy(person->names, names, count * sizeof *names);
  return OK;
}

static enum status read_persons(const struct yaml *root, struct arena *arena, struct encode_request *request,
                                struct error *error) {
  const struct yaml *list = yaml_get(root, "persons");
  if (list == NULL || list->kind != YAML_LIST || list->count == 0
      || list->count + request->person_count > ENCODE_PERSONS_MOST) {
    return yaml_error(list == NULL ? root : list, error, _("\"persons\" is a list of 1 to %d"), ENCODE_PERSONS_MOST);
  }
  enum status status = OK;
  for (size_t i = 0; i < list->count && status == OK; i++) {
    status = read_person(&list->children[i], arena, &request->persons[request->person_count++], error);
  }
  return status;
}

static enum status read_columns(const struct yaml *root, const char *key, struct arena *arena, const char **columns,
                                size_t *count, struct error *error) {
  const char **items = NULL;
  size_t more = 0;
  enum status status = yaml_texts(root, key, arena, &items, &more, error);
  if (status == OK && *count + more > ENCODE_COLUMNS_MOST) {
    status = yaml_error(yaml_get(root, key), error, _("more than %d columns"), ENCODE_COLUMNS_MOST);
  }
  for (size_t i = 0; i < more && status == OK; i++) {
    columns[(*count)++] = items[i];
  }
  return status;
}

/* The keys of a mapping's head, and those of this file. */
static enum status check_keys(const struct yaml *root, struct error *error) {
  const char *known[32] = {"persons", "drop", "keep"};
  size_t count = 3;
  for (size_t i = 0; format_option_keys[i] != NULL && count + 1 < sizeof known / sizeof *known; i++) {
    known[count++] = format_option_keys[i];
  }
  return yaml_check_keys(root, known, error);
}

enum status encode_request_read(const char *path, struct arena *arena, struct encode_request *request,
                                struct error *error) {
  const struct format *format = NULL;
  struct yaml *root = NULL;
  enum status status = yaml_load(path, arena, &root, error);
  status = status == OK ? check_keys(root, error) : status;
  status = status == OK ? format_options_read(root, arena, &format, &request->format, error) : status;
  if (status == OK && format != format_find("csv")) {
    status = yaml_error(yaml_get(root, "format"), error, "%s", _("only files of format csv are encoded"));
  }
  status = status == OK ? read_persons(root, arena, request, error) : status;
  status = status == OK ? read_columns(root, "drop", arena, request->drop, &request->drop_count, error) : status;
  return status == OK ? read_columns(root, "keep", arena, request->keep, &request->keep_count, error) : status;
}
