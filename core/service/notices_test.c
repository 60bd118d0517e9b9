#include "core/base/date.h"
#include "core/service/notices.h"
#include "core/service/tongue.h"

enum { TEXT_LIMIT = 8192 };

enum status notices_test(const struct config *config, const atomic_bool *stop, notify_report *report, void *context,
                         struct error *error) {
  struct tongue tongue;
  struct buffer subject, text;
  buffer_init(&subject, TEXT_LIMIT);
  buffer_init(&text, TEXT_LIMIT);
  enum status status = tongue_open(config, &tongue, error);
  if (status == OK) {
    buffer_printf(&subject, words(&tongue, N_("[Puente %s] test message")), config->name);
    buffer_text(
        &text,
        words(&tongue, N_("Puente can tell you by this way what fails, what works again, what expires, and once a "
                          "day how things stand.\nThere is nothing to do.\n")));
    status = buffer_check(&subject, "subject", error);
    status = status == OK ? buffer_check(&text, "text", error) : status;
  }
  if (status == OK) {
    const struct notify_message message = {
        .kind = NOTIFY_TEST, .subject = subject.data, .text = text.data, .at = clock_now()};
    status = notify_send_each(config, &message, NULL, stop, report, context, error);
  }
  buffer_free(&subject);
  buffer_free(&text);
  tongue_close(&tongue);
  return status;
}
