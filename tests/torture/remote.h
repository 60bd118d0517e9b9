/* What stands on other machines: a web service, a mail server and a time-stamp authority, all in one process of its own
 * on 127.0.0.1, so that what is tortured has no threads but its own. */
#ifndef PUENTE_TESTS_TORTURE_REMOTE_H
#define PUENTE_TESTS_TORTURE_REMOTE_H

/* Starts them, and tells the environment where: TORTURE_HTTP, TORTURE_SMTP, TORTURE_STAMP (ports), TORTURE_CA (the
 * authority's certificate). They end with the process that started them. */
void remote_start(void);
void remote_stop(void);

#endif
