#include "tests/bench/janus.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "protocol/base/cleanup.h"

#define ADDRESS "10.99.0.1"
#define START_MS 15000
#define STARTS_MAX 5
#define MESSAGE_MAX 65536
#define SOCKET_BUFFER (4 << 20)

/* What an end's last request was; also the transaction's name, so that answers say where they
 * belong. */
enum step {
    STEP_NONE,
    STEP_CREATE,
    STEP_ATTACH,
    STEP_REGISTER,
    STEP_CALL,
    STEP_ACCEPT,
    STEP_OTHER,
};

struct end {
    struct ck_tclient *client;
    json_int_t handle;
    bool registered;
    int64_t offered_us;
};

struct ck_janus {
    struct ck_crowd *crowd;
    pid_t pid;
    int socket;
    char folder[64];
    json_int_t session;
    unsigned ends;
    struct end end[CK_JANUS_ENDS_MAX];
};

__attribute__((format(printf, 1, 2), noreturn)) static void give_up(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "janus: ");
    vfprintf(stderr, format, list);
    fprintf(stderr, "\n");
    va_end(list);
    abort();
}

bool ck_janus_installed(void)
{
    return access(CK_JANUS_PROGRAM, X_OK) == 0;
}

struct in_addr ck_janus_address(void)
{
    struct in_addr address;
    inet_pton(AF_INET, ADDRESS, &address);
    return address;
}

int ck_janus_namespace(void)
{
    int flags = CLONE_NEWNET | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
    if (unshare(flags) != 0) {
        return -errno;
    }
    int status = system("ip link set lo up && ip link add ck0 type veth peer name ck1 && "
                        "ip addr add " ADDRESS "/24 dev ck0 && ip link set ck0 up && "
                        "ip link set ck1 up");
    return status == 0 ? 0 : -EPERM;
}

/* --- requests ---------------------------------------------------------------------------------
 */

/* Takes over `body` and `jsep` (NULL: none). */
static void send_request(struct ck_janus *janus, unsigned end, enum step step, const char *verb,
                         json_t *body, json_t *jsep)
{
    char transaction[32];
    snprintf(transaction, sizeof transaction, "%d.%u", (int)step, end);
    json_t *message = json_pack("{s:s, s:s}", "janus", verb, "transaction", transaction);
    if (step != STEP_CREATE) {
        json_object_set_new(message, "session_id", json_integer(janus->session));
    }
    if (step > STEP_ATTACH) {
        json_object_set_new(message, "handle_id", json_integer(janus->end[end].handle));
    }
    if (step == STEP_ATTACH) {
        json_object_set_new(message, "plugin", json_string("janus.plugin.videocall"));
    }
    if (body != NULL) {
        json_object_set_new(message, "body", body);
    }
    if (jsep != NULL) {
        json_object_set_new(message, "jsep", jsep);
    }
    ck_cleanup(ck_freep) char *text = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    if (text == NULL || send(janus->socket, text, strlen(text), MSG_NOSIGNAL) < 0) {
        give_up("request %s: %s", verb, strerror(errno));
    }
}

static json_t *jsep_of(const char *type, struct ck_tclient *client)
{
    return json_pack("{s:s, s:s}", "type", type, "sdp", ck_tclient_offer(client));
}

static void name_of(unsigned end, char name[static 16])
{
    snprintf(name, 16, "end%u", end);
}

static void call(struct ck_janus *janus, unsigned end)
{
    char name[16];
    name_of(end + 1, name);
    janus->end[end].offered_us = ck_crowd_now(janus->crowd).us;
    send_request(janus, end, STEP_CALL, "message",
                 json_pack("{s:s, s:s}", "request", "call", "username", name),
                 jsep_of("offer", janus->end[end].client));
}

/* --- answers and events -----------------------------------------------------------------------
 */

static void take_success(struct ck_janus *janus, const json_t *message)
{
    const char *transaction = json_string_value(json_object_get(message, "transaction"));
    json_int_t id = json_integer_value(json_object_get(json_object_get(message, "data"), "id"));
    int step = STEP_NONE;
    unsigned end = 0;
    char name[16];
    if (transaction == NULL || sscanf(transaction, "%d.%u", &step, &end) != 2) {
        return;
    }
    if (step == STEP_CREATE) {
        janus->session = id;
    } else if (step == STEP_ATTACH && end < janus->ends) {
        janus->end[end].handle = id;
        name_of(end, name);
        send_request(janus, end, STEP_REGISTER, "message",
                     json_pack("{s:s, s:s}", "request", "register", "username", name), NULL);
    }
}

static int end_of(const struct ck_janus *janus, json_int_t handle)
{
    for (unsigned i = 0; i < janus->ends; i++) {
        if (janus->end[i].handle == handle) {
            return (int)i;
        }
    }
    return -1;
}

static void take_jsep(struct ck_janus *janus, unsigned end, const char *sdp)
{
    char why[160] = "";
    struct ck_tclient *client = janus->end[end].client;
    int error;
    if (end % 2 == 0) {
        error = ck_tclient_answer(client, sdp, strlen(sdp), why);
    } else {
        error = ck_tclient_accept(client, sdp, why);
        send_request(janus, end, STEP_ACCEPT, "message", json_pack("{s:s}", "request", "accept"),
                     jsep_of("answer", client));
    }
    if (error != 0) {
        give_up("end %u: %s in:\n%s", end, why, sdp);
    }
}

static void take_event(struct ck_janus *janus, const json_t *message)
{
    int end = end_of(janus, json_integer_value(json_object_get(message, "sender")));
    const json_t *data = json_object_get(json_object_get(message, "plugindata"), "data");
    const char *event =
        json_string_value(json_object_get(json_object_get(data, "result"), "event"));
    const char *sdp = json_string_value(json_object_get(json_object_get(message, "jsep"), "sdp"));
    const char *error = json_string_value(json_object_get(data, "error"));
    if (error != NULL) {
        give_up("end %d: %s", end, error);
    }
    if (end < 0 || event == NULL || janus->end[end].client == NULL) {
        return;
    }
    if (strcmp(event, "registered") == 0) {
        janus->end[end].registered = true;
        if (janus->end[end & ~1].registered && janus->end[end | 1].registered) {
            call(janus, (unsigned)end & ~1U);
        }
    } else if (sdp != NULL &&
               (strcmp(event, "incomingcall") == 0 || strcmp(event, "accepted") == 0)) {
        take_jsep(janus, (unsigned)end, sdp);
    }
}

static void take(struct ck_janus *janus, const char *bytes, size_t size)
{
    json_t *message = json_loadb(bytes, size, 0, NULL);
    const char *what = json_string_value(json_object_get(message, "janus"));
    if (what == NULL) {
        give_up("not a message: %.*s", (int)size, bytes);
    }
    if (strcmp(what, "success") == 0) {
        take_success(janus, message);
    } else if (strcmp(what, "event") == 0) {
        take_event(janus, message);
    } else if (strcmp(what, "error") == 0) {
        give_up("%.*s", (int)size, bytes);
    }
    json_decref(message);
}

static void socket_ready(void *arg, uint32_t events)
{
    struct ck_janus *janus = arg;
    static char bytes[MESSAGE_MAX];
    (void)events;
    for (;;) {
        ssize_t size = recv(janus->socket, bytes, sizeof bytes, MSG_DONTWAIT);
        if (size < 0 && errno == EAGAIN) {
            return;
        }
        if (size <= 0) {
            give_up("it ended");
        }
        take(janus, bytes, (size_t)size);
    }
}

/* --- life -------------------------------------------------------------------------------------
 */

static void write_file(const struct ck_janus *janus, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", janus->folder, name);
    FILE *file = fopen(path, "we");
    if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0) {
        give_up("%s: %s", path, strerror(errno));
    }
}

/* Debian's defaults, but for where its files lie, one transport, one plugin, and sessions that do
 * not end by themselves. */
static void write_settings(const struct ck_janus *janus)
{
    static const char others[] =
        "plugins: { disable = \"libjanus_audiobridge.so,libjanus_duktape.so,libjanus_echotest.so,"
        "libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,"
        "libjanus_streaming.so,libjanus_textroom.so,libjanus_videoroom.so,"
        "libjanus_voicemail.so\" }\n"
        "transports: { disable = \"libjanus_http.so,libjanus_mqtt.so,libjanus_nanomsg.so,"
        "libjanus_rabbitmq.so,libjanus_websockets.so\" }\n";
    char text[2048];
    snprintf(text, sizeof text,
             "general: { configs_folder = \"%s\" debug_level = 2 log_to_stdout = true "
             "session_timeout = 0 }\nmedia: { ipv6 = false }\n%s",
             janus->folder, others);
    write_file(janus, "janus.jcfg", text);
    snprintf(text, sizeof text,
             "general: { enabled = true json = \"compact\" path = \"%s/control\" "
             "type = \"SOCK_SEQPACKET\" }\nadmin: { admin_enabled = false }\n",
             janus->folder);
    write_file(janus, "janus.transport.pfunix.jcfg", text);
}

static pid_t spawn(const struct ck_janus *janus)
{
    char settings[96];
    snprintf(settings, sizeof settings, "%s/janus.jcfg", janus->folder);
    pid_t pid = fork();
    if (pid == 0) {
        int log = open("/dev/null", O_RDWR);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(log, 0);
        dup2(log, 1);
        dup2(log, 2);
        execl(CK_JANUS_PROGRAM, "janus", "-o", "-C", settings, "-F", janus->folder, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* The socket takes connections once Janus has started; there is no other sign of it. False where
 * Janus has ended instead. */
static bool connect_control(struct ck_janus *janus)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int buffer = SOCKET_BUFFER;
    int status;
    snprintf(name.sun_path, sizeof name.sun_path, "%s/control", janus->folder);
    janus->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    for (int waited = 0; connect(janus->socket, (struct sockaddr *)&name, sizeof name) != 0;
         waited += 20) {
        if (waitpid(janus->pid, &status, WNOHANG) == janus->pid) {
            close(janus->socket);
            return false;
        }
        if (waited >= START_MS) {
            give_up("it takes no connections");
        }
        ck_crowd_until(janus->crowd, NULL, NULL, 20);
    }
    setsockopt(janus->socket, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    setsockopt(janus->socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    ck_crowd_watch(janus->crowd, janus->socket, EPOLLIN, socket_ready, janus);
    return true;
}

static bool has_session(void *arg)
{
    const struct ck_janus *janus = arg;
    return janus->session != 0;
}

struct ck_janus *ck_janus_start(struct ck_crowd *crowd)
{
    struct ck_janus *janus = calloc(1, sizeof *janus);
    if (janus == NULL) {
        give_up("no memory");
    }
    janus->crowd = crowd;
    snprintf(janus->folder, sizeof janus->folder, "/tmp/bench-janus-XXXXXX");
    if (mkdtemp(janus->folder) == NULL) {
        give_up("%s: %s", janus->folder, strerror(errno));
    }
    write_settings(janus);
    /* One start in ten ends at once, "no Janus API transport is available", on the same settings.
     */
    for (int starts = 0; starts == 0 || !connect_control(janus); starts++) {
        if (starts == STARTS_MAX) {
            give_up("it does not start");
        }
        janus->pid = spawn(janus);
        if (janus->pid < 0) {
            give_up("fork: %s", strerror(errno));
        }
    }
    send_request(janus, 0, STEP_CREATE, "create", NULL, NULL);
    if (ck_crowd_until(crowd, has_session, janus, START_MS) != 0) {
        give_up("no session");
    }
    return janus;
}

void ck_janus_stop(struct ck_janus *janus)
{
    static const char *const files[] = {"control", "janus.jcfg", "janus.transport.pfunix.jcfg"};
    int status;
    if (janus == NULL) {
        return;
    }
    ck_crowd_unwatch(janus->crowd, janus->socket);
    close(janus->socket);
    kill(janus->pid, SIGKILL); /* it needs half a minute to end by itself with many handles */
    waitpid(janus->pid, &status, 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", janus->folder, files[i]);
        unlink(path);
    }
    rmdir(janus->folder);
    free(janus);
}

pid_t ck_janus_pid(const struct ck_janus *janus)
{
    return janus->pid;
}

unsigned ck_janus_call(struct ck_janus *janus, struct ck_tclient *caller, struct ck_tclient *callee)
{
    unsigned end = janus->ends;
    if (end + 2 > CK_JANUS_ENDS_MAX) {
        give_up("more than %d ends", CK_JANUS_ENDS_MAX);
    }
    janus->end[end].client = caller;
    janus->end[end + 1].client = callee;
    janus->ends += 2;
    send_request(janus, end, STEP_ATTACH, "attach", NULL, NULL);
    send_request(janus, end + 1, STEP_ATTACH, "attach", NULL, NULL);
    return end;
}

int64_t ck_janus_offered_us(const struct ck_janus *janus, unsigned end)
{
    return janus->end[end].offered_us;
}

void ck_janus_end(struct ck_janus *janus, unsigned end)
{
    for (unsigned i = end; i < end + 2; i++) {
        janus->end[i].client = NULL;
        send_request(janus, i, STEP_OTHER, "detach", NULL, NULL);
    }
}

void ck_janus_record(struct ck_janus *janus, unsigned end, const char *folder)
{
    char file[256];
    snprintf(file, sizeof file, "%s/end%u", folder, end);
    send_request(janus, end, STEP_OTHER, "message",
                 json_pack("{s:s, s:b, s:s}", "request", "set", "record", 1, "filename", file),
                 NULL);
}
