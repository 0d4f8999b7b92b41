/* access: permissions decide what a user may do: access(2) tells it beforehand, open and others obey it. Root is above
 * them, except that what nobody may execute it may not execute either. */
#include "test.h"

enum { NOBODY = 65534 };

static void existence_is_told(void) {
    write_file("file", "x");
    CHECK_OK(access("file", F_OK));
    CHECK_OK(access(".", F_OK));
    CHECK_ERRNO(access("missing", F_OK), ENOENT);
    CHECK_ERRNO(access("file/below", F_OK), ENOTDIR);
    CHECK_ERRNO(access("", F_OK), ENOENT);
    CHECK_ERRNO(access("file", 8), EINVAL);
    say("present, missing and nonsense");
}

static void permissions_are_kept(void) {
    static const mode_t modes[] = { 0644, 0, 0777, 0400, 0151, 01755 };
    struct stat status;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        CHECK_OK(chmod("file", modes[i]));
        CHECK_OK(stat("file", &status));
        CHECK_EQUAL(status.st_mode, S_IFREG | modes[i]);
    }
    int fd = (int)CHECK_OK(open("file", O_RDONLY | O_CREAT, 0));
    CHECK_OK(fchmod(fd, 0620));
    CHECK_OK(fstat(fd, &status));
    CHECK_EQUAL(status.st_mode & 07777, 0620);
    CHECK_OK(close(fd));
    say("chmod and fchmod set what stat tells");
}

static void umask_takes_away_from_new_files(void) {
    struct stat status;
    umask(027);
    int fd = (int)CHECK_OK(open("masked", O_WRONLY | O_CREAT, 0666));
    CHECK_OK(fstat(fd, &status));
    CHECK_EQUAL(status.st_mode & 0777, 0640);
    CHECK_OK(close(fd));
    CHECK_OK(mkdir("masked-directory", 0777));
    CHECK_OK(stat("masked-directory", &status));
    CHECK_EQUAL(status.st_mode & 0777, 0750);
    CHECK_EQUAL(umask(0), 027);
    say("0666 under 027 is 0640");
}

/* By the owner, who is not root. */
static void check_owners_permissions(void) {
    CHECK(getuid() != 0);
    write_file("mine", "content");
    CHECK_OK(chmod("mine", 0400));
    CHECK_OK(access("mine", R_OK));
    CHECK_ERRNO(access("mine", W_OK), EACCES);
    CHECK_ERRNO(access("mine", X_OK), EACCES);
    CHECK_ERRNO(access("mine", R_OK | W_OK), EACCES);
    CHECK_ERRNO(open("mine", O_WRONLY), EACCES);
    CHECK_ERRNO(open("mine", O_RDWR), EACCES);
    CHECK_OK(close((int)CHECK_OK(open("mine", O_RDONLY))));
    CHECK_OK(chmod("mine", 0077)); /* the owner's bits count for the owner, though others have more */
    CHECK_ERRNO(access("mine", R_OK), EACCES);
    CHECK_ERRNO(open("mine", O_RDONLY), EACCES);
    CHECK_OK(chmod("mine", 0700));
    CHECK_OK(access("mine", R_OK | W_OK | X_OK));
    say("the owner's bits hold for the owner");
}

static void check_directory_permissions(void) {
    CHECK_OK(mkdir("folder", 0755));
    write_file("folder/file", "x");
    CHECK_OK(chmod("folder", 0500)); /* no writing: the names stay as they are */
    CHECK_ERRNO(open("folder/new", O_WRONLY | O_CREAT, 0644), EACCES);
    CHECK_ERRNO(unlink("folder/file"), EACCES);
    CHECK_ERRNO(rename("folder/file", "folder/other"), EACCES);
    CHECK_ERRNO(mkdir("folder/inner", 0755), EACCES);
    CHECK_OK(chmod("folder", 0600)); /* no searching: nothing behind it can be reached */
    CHECK_ERRNO(open("folder/file", O_RDONLY), EACCES);
    CHECK_ERRNO(chdir("folder"), EACCES);
    CHECK_OK(chmod("folder", 0300)); /* no reading: no list, but the names work */
    CHECK_ERRNO(open("folder", O_RDONLY | O_DIRECTORY), EACCES);
    CHECK_OK(close((int)CHECK_OK(open("folder/file", O_RDONLY))));
    CHECK_OK(chmod("folder", 0755));
    say("reading, writing and searching of a directory are three things");
}

static void check_as_ordinary_user(void) {
    check_owners_permissions();
    check_directory_permissions();
}

static void check_as_nobody(void) {
    static const gid_t no_groups[1];
    CHECK_OK(setgroups(0, no_groups));
    CHECK_OK(setresgid(NOBODY, NOBODY, NOBODY));
    CHECK_OK(setresuid(NOBODY, NOBODY, NOBODY));
    CHECK_ERRNO(setresuid(0, 0, 0), EPERM);
    CHECK_ERRNO(open("roots", O_RDONLY), EACCES);
    CHECK_ERRNO(chmod("roots", 0777), EPERM);
    CHECK_OK(access("others", R_OK));
    CHECK_ERRNO(access("others", W_OK), EACCES);
    check_as_ordinary_user();
}

static void root_may_all_but_execute(void) {
    CHECK_OK(chmod("file", 0));
    CHECK_OK(access("file", R_OK | W_OK));
    CHECK_ERRNO(access("file", X_OK), EACCES);
    CHECK_OK(close((int)CHECK_OK(open("file", O_RDWR))));
    CHECK_OK(chmod("file", 0001));
    CHECK_OK(access("file", X_OK));
    say("root reads and writes mode 0");
}

static void an_ordinary_user_is_bound(void) {
    if (getuid() != 0) {
        check_as_ordinary_user();
        return;
    }
    root_may_all_but_execute();
    write_file("roots", "secret");
    CHECK_OK(chmod("roots", 0600));
    write_file("others", "public");
    CHECK_OK(chmod("others", 0604));
    CHECK_OK(chmod(".", 0777));
    CHECK_EXIT(in_child(check_as_nobody), 0);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    existence_is_told();
    permissions_are_kept();
    umask_takes_away_from_new_files();
    an_ordinary_user_is_bound();
    return test_pass();
}
