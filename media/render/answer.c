#include "media/render/answer.h"

#include <stdarg.h>
#include <stdio.h>

void ck_render_fail(struct ck_render_answer *answer, enum ck_render_fault fault, const char *format,
                    ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(answer->text, sizeof answer->text, format, arguments);
    va_end(arguments);
    answer->message.kind = CK_RENDER_FAILED;
    answer->message.failed.fault = (uint16_t)fault;
    answer->message.failed.message = (struct ck_render_text){
        .data = answer->text,
        .size = length < 0                             ? 0
                : (size_t)length < sizeof answer->text ? (size_t)length
                                                       : sizeof answer->text - 1,
    };
}
