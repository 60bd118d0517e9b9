#include "core/audit/timestamp.h"

#include "core/base/catalog.h"
#include "core/base/digest.h"

#include <openssl/err.h>
#include <openssl/ts.h>
#include <sodium.h>
#include <time.h>

const char timestamp_query_type[] = "application/timestamp-query";

/* ---- asking ---- */

static bool set_imprint(TS_REQ *request, struct slice bytes) {
  struct sha256 digest = sha256_of(bytes);
  TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
  X509_ALGOR *algorithm = X509_ALGOR_new();
  bool good = imprint != NULL && algorithm != NULL
              && X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1
              && TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1
              && TS_MSG_IMPRINT_set_msg(imprint, digest.bytes, SHA256_SIZE) == 1
              && TS_REQ_set_msg_imprint(request, imprint) == 1;
  X509_ALGOR_free(algorithm);
  TS_MSG_IMPRINT_free(imprint);
  return good;
}

static bool set_nonce(TS_REQ *request) {
  uint64_t number;
  randombytes_buf(&number, sizeof number);
  ASN1_INTEGER *nonce = ASN1_INTEGER_new();
  bool good = nonce != NULL && ASN1_INTEGER_set_uint64(nonce, number) == 1 && TS_REQ_set_nonce(request, nonce) == 1;
  ASN1_INTEGER_free(nonce);
  return good;
}

enum status timestamp_request(struct slice bytes, struct buffer *request, struct error *error) {
  unsigned char *der = NULL;
  TS_REQ *asked = TS_REQ_new();
  bool good = asked != NULL && TS_REQ_set_version(asked, 1) == 1 && set_imprint(asked, bytes) && set_nonce(asked)
              && TS_REQ_set_cert_req(asked, 1) == 1;
  int len = good ? i2d_TS_REQ(asked, &der) : -1;
  good = len > 0 && buffer_append(request, der, (size_t)len) == OK;
  OPENSSL_free(der);
  TS_REQ_free(asked);
  ERR_clear_error();
  return good ? OK : error_memory(error);
}

/* ---- verifying ---- */

static enum status fail(struct error *error, enum status status, const char *message, const char *hint) {
  error_set(error, status, "%s", message);
  error_hint(error, "%s", hint);
  return status;
}

static bool is_granted(TS_RESP *answer) {
  const ASN1_INTEGER *status = TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(answer));
  long number = ASN1_INTEGER_get(status);
  return number == TS_STATUS_GRANTED || number == TS_STATUS_GRANTED_WITH_MODS;
}

static enum status read_authorities(const char *ca_file, X509_STORE **authorities, struct error *error) {
  *authorities = X509_STORE_new();
  if (*authorities == NULL) {
    return error_memory(error);
  }
  if (X509_STORE_load_locations(*authorities, ca_file, NULL) == 1) {
    return OK;
  }
  fail(error, ERR_CONFIG, _("the certificates of the time-stamp authority cannot be read"),
       _("`ca_file` of `timestamp` must be PEM and readable"));
  error_place(error, "%s", ca_file);
  return ERR_CONFIG;
}

static enum status read_moment(TS_RESP *answer, int64_t *at, struct error *error) {
  struct tm parts = {.tm_mday = 1};
  if (ASN1_TIME_to_tm(TS_TST_INFO_get_time(TS_RESP_get_tst_info(answer)), &parts) != 1) {
    return fail(error, ERR_REMOTE, _("the time-stamp has no time"), "");
  }
  *at = (int64_t)timegm(&parts) * 1000000;
  return OK;
}

static enum status verify(TS_REQ *asked, TS_RESP *answer, const char *ca_file, struct error *error) {
  X509_STORE *authorities = NULL;
  enum status status = read_authorities(ca_file, &authorities, error);
  TS_VERIFY_CTX *context = status == OK ? TS_REQ_to_TS_VERIFY_CTX(asked, NULL) : NULL;
  if (context == NULL) {
    X509_STORE_free(authorities);
    return status == OK ? error_memory(error) : status;
  }
  TS_VERIFY_CTX_add_flags(context, TS_VFY_SIGNATURE);
  TS_VERIFY_CTX_set_store(context, authorities); /* its own from here */
  if (TS_RESP_verify_response(context, answer) != 1) {
    status = fail(error, ERR_AUTH, _("the time-stamp is not of this checkpoint, or of no authority that is trusted"),
                  _("check `url` and `ca_file` of `timestamp`: it must hold the authority's root certificate"));
  }
  TS_VERIFY_CTX_free(context);
  return status;
}

enum status timestamp_verify(struct slice request, struct slice answer, const char *ca_file, int64_t *at,
                             struct error *error) {
  const unsigned char *from = (const unsigned char *)request.data;
  TS_REQ *asked = d2i_TS_REQ(NULL, &from, (long)request.len);
  from = (const unsigned char *)answer.data;
  TS_RESP *said = answer.len == 0 ? NULL : d2i_TS_RESP(NULL, &from, (long)answer.len);
  enum status status = OK;
  if (asked == NULL) {
    status = error_memory(error);
  } else if (said == NULL) {
    status = fail(error, ERR_REMOTE, _("what the time-stamp authority answered is no time-stamp"),
                  _("check `url` of `timestamp`: RFC 3161 over HTTP is expected there"));
  } else if (!is_granted(said)) {
    status = fail(error, ERR_REMOTE, _("the time-stamp authority refused the request"),
                  _("ask who runs it whether it takes SHA-256, and requests without a policy"));
  }
  status = status == OK ? verify(asked, said, ca_file, error) : status;
  status = status == OK ? read_moment(said, at, error) : status;
  TS_RESP_free(said);
  TS_REQ_free(asked);
  ERR_clear_error();
  return status;
}
