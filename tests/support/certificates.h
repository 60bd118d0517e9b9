/* Certificates made at test time by libcrypto, as PEM files in a folder. */
#ifndef PUENTE_TESTS_SUPPORT_CERTIFICATES_H
#define PUENTE_TESTS_SUPPORT_CERTIFICATES_H

/* Writes ca.pem; server.pem and server.key for 127.0.0.1 and localhost; expired.pem, elsewhere.pem (another host) with
 * server.key; ending.pem (ten days left); client.pem and client.key; other_ca.pem, which signed none of them. Any
 * failure ends the program. */
void certificates_make(const char *folder);

#endif
