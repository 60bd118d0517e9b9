#include "tests/support/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const long day = 86400;

static void require(bool good, const char *what) {
  if (!good) {
    fprintf(stderr, "certificates of the tests: %s\n", what);
    abort();
  }
}

static FILE *create(const char *folder, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "w");
  require(file != NULL, path);
  return file;
}

static void write_certificate(const char *folder, const char *name, X509 *certificate) {
  FILE *file = create(folder, name);
  require(PEM_write_X509(file, certificate) == 1, name);
  fclose(file);
}

static void write_key(const char *folder, const char *name, EVP_PKEY *key) {
  FILE *file = create(folder, name);
  require(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1, name);
  fclose(file);
}

static void extend(X509 *certificate, X509 *issuer, int which, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, which, value);
  require(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, value);
  X509_EXTENSION_free(extension);
}

/* `issuer` NULL: signed by itself, an authority. `names` NULL: no subjectAltName. */
static X509 *make(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const char *names,
                  long ends_in_days) {
  static long serial = 1;
  X509 *certificate = X509_new();
  require(certificate != NULL, "memory");
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -400 * day);
  X509_gmtime_adj(X509_getm_notAfter(certificate), ends_in_days * day);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                             -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer != NULL ? issuer : certificate));
  extend(certificate, issuer != NULL ? issuer : certificate, NID_basic_constraints,
         issuer == NULL ? "critical,CA:TRUE" : "CA:FALSE");
  if (names != NULL) {
    extend(certificate, issuer, NID_subject_alt_name, names);
  }
  require(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, "signature");
  return certificate;
}

void certificates_make(const char *folder) {
  static const char local[] = "IP:127.0.0.1,DNS:localhost";
  EVP_PKEY *authority = EVP_EC_gen("P-256"), *server = EVP_EC_gen("P-256"), *client = EVP_EC_gen("P-256");
  require(authority != NULL && server != NULL && client != NULL, "keys");
  X509 *ca = make("Authority of the tests", authority, NULL, authority, NULL, 400);
  X509 *other = make("Another authority", server, NULL, server, NULL, 400);
  struct {
    const char *file;
    X509 *certificate;
  } made[] = {{"ca.pem", ca},
              {"other_ca.pem", other},
              {"server.pem", make("server", server, ca, authority, local, 300)},
              {"ending.pem", make("server", server, ca, authority, local, 10)},
              {"expired.pem", make("server", server, ca, authority, local, -1)},
              {"elsewhere.pem", make("server", server, ca, authority, "DNS:elsewhere.invalid", 300)},
              {"client.pem", make("client", client, ca, authority, NULL, 300)}};
  for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
    write_certificate(folder, made[i].file, made[i].certificate);
    X509_free(made[i].certificate);
  }
  write_key(folder, "server.key", server);
  write_key(folder, "client.key", client);
  EVP_PKEY_free(authority);
  EVP_PKEY_free(server);
  EVP_PKEY_free(client);
}
