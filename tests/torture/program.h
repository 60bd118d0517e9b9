/* The program's own main, called as a function. */
#ifndef PUENTE_TESTS_TORTURE_PROGRAM_H
#define PUENTE_TESTS_TORTURE_PROGRAM_H

int puente_main(int argc, char **argv);

#endif
