/* Gives every file of a folder to a fuzz target. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *folder, const char *name)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(FILE_MAX);
    if (file == NULL || data == NULL) {
        (void)fprintf(stderr, "%s cannot be read\n", path);
        free(data);
        return 1;
    }
    size_t size = fread(data, 1, FILE_MAX, file);
    (void)fclose(file);
    uint8_t *exact = realloc(data, size > 0 ? size : 1); /* a step beyond the end is seen */
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

int main(int count, char **arguments)
{
    DIR *folder = count == 2 ? opendir(arguments[1]) : NULL;
    int failed = 0;
    unsigned files = 0;
    if (folder == NULL) {
        (void)fprintf(stderr, "replay FOLDER\n");
        return 1;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.') {
            failed |= replay(arguments[1], entry->d_name);
            files++;
        }
    }
    (void)closedir(folder);
    (void)printf("%u files\n", files);
    return files == 0 ? 1 : failed;
}
