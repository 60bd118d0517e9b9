/* The data of a private PostgreSQL server, with the role "puente" (may create roles) and its database. The first one is
 * kept in the build folder, from where later ones are copied: initdb takes longer than many a test. For postgres.c. */
#ifndef PUENTE_TESTS_SUPPORT_CLUSTER_H
#define PUENTE_TESTS_SUPPORT_CLUSTER_H

#include <stdbool.h>

/* PostgreSQL refuses root: in a child of a test that is root's, another user takes its place. */
void cluster_user(void);
/* In a child: output goes to log in the folder, which becomes the current one. */
void cluster_log(const char *folder);
/* Gives the folder to that user and makes FOLDER/data with those programs; false: FOLDER/log says why not. */
bool cluster_make(const char *folder, const char *binaries);

#endif
