#include "core/store/driver.h"
const struct driver_ops postgres_driver;
const struct driver_ops postgres_driver = {.name = "postgres"};
