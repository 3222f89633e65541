/* What /proc says of the worker. */
#include <dirent.h>
#include <linux/sched/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/media/rig.h"

static double task_cpu_s(pid_t pid, const char *task)
{
    char path[320];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, task);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    if (fscanf(file, "%llu", &ns) != 1) {
        ns = 0;
    }
    fclose(file);
    return (double)ns / 1e9;
}

static uint64_t kib_of(pid_t pid, const char *name, const char *field)
{
    char path[64];
    char line[256];
    uint64_t value = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0) {
            value = strtoull(line + strlen(field), NULL, 10);
            break;
        }
    }
    fclose(file);
    return value;
}

struct ck_rig_usage ck_rig_usage(const struct ck_rig *rig)
{
    return ck_usage_of(ck_rig_pid(rig));
}

struct ck_rig_usage ck_usage_of(pid_t pid)
{
    struct ck_rig_usage usage = {.cpu_s = 0};
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return usage;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            usage.cpu_s += task_cpu_s(pid, entry->d_name);
            usage.threads++;
        }
    }
    closedir(folder);
    usage.rss_kib = kib_of(pid, "status", "VmRSS:");
    usage.space_kib = kib_of(pid, "status", "VmSize:");
    usage.pss_kib = kib_of(pid, "smaps_rollup", "Pss:");
    return usage;
}

uint64_t ck_usage_slice_ns(pid_t task)
{
    struct sched_attr attributes;
    bool told = syscall(SYS_sched_getattr, task, &attributes, sizeof attributes, 0) == 0;
    return told ? attributes.sched_runtime : 0;
}
