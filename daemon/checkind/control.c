/* What checkinctl may ask (protocol/control.md). */
#include "daemon/checkind/product_impl.h"
#include "protocol/base/cleanup.h"

static void setup_token(struct ck_control_call *call, const json_t *arguments, void *user)
{
    struct ck_product *product = user;
    char token[CK_API_SETUP_TOKEN_SIZE];
    (void)arguments;
    ck_api_setup_token(product->api, token);
    ck_control_answer(call, json_pack("{s:s}", "token", token));
}

int ck_product_control_start(struct ck_product *product)
{
    const struct ck_control_command commands[] = {
        {"setup-token", setup_token, product},
    };
    return ck_control_create(&product->control, &product->loop,
                             product->config->daemon.control_socket, commands,
                             sizeof commands / sizeof commands[0]);
}
