/* The initial files, from a cpio archive of the "newc" kind: headers of 13 hexadecimal fields, each followed by the
 * name and the contents, both padded to four bytes. */
#include "inode.h"
#include "kernel.h"
#include "memory.h"

#define FIELDS      13
#define HEADER_SIZE (6 + 8 * FIELDS)

enum { FIELD_MODE = 1, FIELD_UID, FIELD_GID, FIELD_TIME = 5, FIELD_SIZE, FIELD_NAME_SIZE = 11 };

struct member {
    u32 field[FIELDS];
    const char *name, *contents;
};

static bool parse_field(const char *text, u32 *value) {
    *value = 0;
    for (unsigned index = 0; index < 8; index++) {
        char digit = text[index];
        u32 nibble = digit >= '0' && digit <= '9'   ? (u32)(digit - '0')
                     : digit >= 'a' && digit <= 'f' ? (u32)(digit - 'a' + 10)
                     : digit >= 'A' && digit <= 'F' ? (u32)(digit - 'A' + 10)
                                                    : 16;
        if (nibble == 16) return false;
        *value = *value << 4 | nibble;
    }
    return true;
}

static usize pad(usize size) { return (size + 3) & ~3ul; }

/* The member at `archive`, and its size; 0 at the end and for what is no member. */
static usize parse_member(const char *archive, usize size, struct member *member) {
    if (size < HEADER_SIZE || memcmp(archive, "07070", 5) != 0) return 0;
    for (unsigned index = 0; index < FIELDS; index++) {
        if (!parse_field(archive + 6 + 8 * index, &member->field[index])) return 0;
    }
    usize contents_at = pad(HEADER_SIZE + member->field[FIELD_NAME_SIZE]);
    usize end = contents_at + member->field[FIELD_SIZE];
    if (member->field[FIELD_NAME_SIZE] == 0 || end > size) return 0;
    member->name = archive + HEADER_SIZE;
    member->contents = archive + contents_at;
    if (member->name[member->field[FIELD_NAME_SIZE] - 1] != 0 || strcmp(member->name, "TRAILER!!!") == 0)
        return 0;
    return pad(end);
}

/* The next name of a path, "." left out; false at the end. */
static bool next_name(const char **path, char name[NAME_MAX + 1]) {
    for (;;) {
        while (**path == '/') ++*path;
        usize length = 0;
        for (; **path != 0 && **path != '/'; ++*path) {
            if (length < NAME_MAX) name[length++] = **path;
        }
        name[length] = 0;
        if (length == 0) return false;
        if (strcmp(name, ".") != 0) return true;
    }
}

/* Only this CPU knows the tree yet: no lock. */
static struct inode *child(struct inode *directory, const char *name, u32 mode) {
    struct entry *entry = directory_find(directory, name, strlen(name));
    return entry != NULL ? entry->inode : directory_make(directory, name, mode, 0);
}

static struct inode *make_member(const struct member *member) {
    char name[NAME_MAX + 1], following[NAME_MAX + 1];
    const char *path = member->name;
    struct inode *inode = vfs_root();
    bool more = next_name(&path, name);
    while (more && inode != NULL && S_ISDIR(inode->mode)) {
        more = next_name(&path, following);
        inode = child(inode, name, more ? S_IFDIR | 0755 : member->field[FIELD_MODE]);
        memcpy(name, following, sizeof(name));
    }
    return more ? NULL : inode;
}

static bool fill(struct inode *inode, const struct member *member) {
    usize size = member->field[FIELD_SIZE];
    struct transfer transfer;
    u64 offset = 0;
    inode->mode = member->field[FIELD_MODE];
    inode->uid = member->field[FIELD_UID];
    inode->gid = member->field[FIELD_GID];
    if (S_ISLNK(inode->mode) && inode->target == NULL) {
        inode->target = kmalloc(size + 1);
        if (inode->target == NULL) return false;
        memcpy(inode->target, member->contents, size);
    } else if (S_ISREG(inode->mode)) {
        transfer_init_kernel(&transfer, (void *)member->contents, size);
        if (contents_write(inode, &transfer, &offset, false) != (isize)size) return false;
    }
    if (member->field[FIELD_TIME] != 0) {
        inode->accessed = inode->modified = inode->changed =
            (struct time_value){ member->field[FIELD_TIME], 0 };
    }
    return true;
}

void vfs_unpack_initrd(const void *archive, usize size) {
    const char *cursor = archive;
    struct member member;
    unsigned count = 0;
    for (usize step; (step = parse_member(cursor, size, &member)) != 0; count++) {
        struct inode *inode = make_member(&member);
        bool same_kind = inode != NULL && ((inode->mode ^ member.field[FIELD_MODE]) & S_IFMT) == 0;
        if (!same_kind || !fill(inode, &member)) kprint("initrd: cannot make %s\n", member.name);
        if (step >= size) break;
        cursor += step;
        size -= step;
    }
    if (count == 0) kprint("initrd: no files\n");
}
