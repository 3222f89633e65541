/* Under sanitizers, which map terabytes, read /proc and stop threads: no cage, but the same start.
 */
#include "daemon/signer/cage.h"

#include <errno.h>
#include <sys/prctl.h>

int ck_signer_cage(int folder)
{
    (void)folder;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
}
