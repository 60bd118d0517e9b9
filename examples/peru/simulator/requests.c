/* Bodies of requests: WS-Security UsernameToken (OASIS profile 1.1: digest = Base64(SHA-1(nonce + created + password)))
 * and PIDE's JSON. */
#include "examples/peru/simulator/serve.h"

#include <jansson.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static xmlNode *find(xmlNode *node, const char *name) {
  for (; node != NULL; node = node->next) {
    if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0) {
      return node;
    }
    xmlNode *below = find(node->children, name);
    if (below != NULL) {
      return below;
    }
  }
  return NULL;
}

static void text_of(xmlNode *root, const char *name, char *text, size_t size) {
  xmlNode *node = find(root, name);
  xmlChar *content = node == NULL ? NULL : xmlNodeGetContent(node);
  snprintf(text, size, "%s", content == NULL ? "" : (const char *)content);
  xmlFree(content);
}

static bool digest_fits(const char *nonce, const char *created, const char *secret, const char *given) {
  unsigned char bytes[512], digest[EVP_MAX_MD_SIZE], text[4 * EVP_MAX_MD_SIZE];
  size_t encoded = strlen(nonce), padding = 0, len = 0;
  unsigned digest_len = 0;
  int decoded = encoded > 128 ? -1 : EVP_DecodeBlock(bytes, (const unsigned char *)nonce, (int)encoded);
  if (decoded < 0) {
    return false;
  }
  while (padding < 2 && padding < encoded && nonce[encoded - 1 - padding] == '=') {
    padding++;
  }
  len = (size_t)decoded - padding;
  int more = snprintf((char *)bytes + len, sizeof bytes - len, "%s%s", created, secret);
  if (more < 0 || (size_t)more >= sizeof bytes - len
      || EVP_Digest(bytes, len + (size_t)more, digest, &digest_len, EVP_sha1(), NULL) != 1) {
    return false;
  }
  EVP_EncodeBlock(text, digest, (int)digest_len);
  return strcmp((const char *)text, given) == 0;
}

bool reta_request(const char *body, size_t len, const char *secret, struct query *query) {
  xmlDoc *document =
      xmlReadMemory(body, (int)len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  if (document == NULL) {
    return false;
  }
  xmlNode *root = xmlDocGetRootElement(document);
  char nonce[160], created[64], password[SECRET_SIZE], since[64], page[16], size[16];
  text_of(root, "Username", query->user, sizeof query->user);
  text_of(root, "Password", password, sizeof password);
  text_of(root, "Nonce", nonce, sizeof nonce);
  text_of(root, "Created", created, sizeof created);
  text_of(root, "FechaDesde", since, sizeof since);
  text_of(root, "Pagina", page, sizeof page);
  text_of(root, "Tamano", size, sizeof size);
  bool known = strcmp(query->user, "puente") == 0 && find(root, "ConsultarDenuncias") != NULL;
  query->allowed = known && digest_fits(nonce, created, secret, password);
  query->since = since[0] == '\0' ? 0 : timestamp_read(since);
  query->first = (uint32_t)strtoul(page, NULL, 10);
  query->count = (uint32_t)strtoul(size, NULL, 10);
  xmlFreeDoc(document);
  return query->since >= 0 && query->first >= 1 && query->count >= 1 && query->count <= 1000;
}

static const char *string_of(const json_t *object, const char *name) {
  const char *text = json_string_value(json_object_get(object, name));
  return text == NULL ? "" : text;
}

static uint32_t number_of(const json_t *object, const char *name) {
  const json_t *value = json_object_get(object, name);
  return json_is_integer(value) ? (uint32_t)json_integer_value(value)
                                : (uint32_t)strtoul(string_of(object, name), NULL, 10);
}

bool mimp_request(const char *body, size_t len, const char *secret, struct query *query) {
  json_t *root = json_loadb(body, len, 0, NULL);
  const json_t *pide = json_object_get(root, "PIDE");
  if (!json_is_object(pide)) {
    json_decref(root);
    return false;
  }
  const char *since = string_of(pide, "feDesde");
  query->allowed = strcmp(string_of(pide, "nuRucUsuario"), "20507920722") == 0
                   && strcmp(string_of(pide, "nuDniUsuario"), "10117410") == 0
                   && strcmp(string_of(pide, "password"), secret) == 0;
  query->since = *since == '\0' ? 0 : timestamp_read(since);
  query->first = number_of(pide, "inicio");
  query->count = number_of(pide, "cantidad");
  json_decref(root);
  return query->since >= 0 && query->count >= 1 && query->count <= 1000;
}
