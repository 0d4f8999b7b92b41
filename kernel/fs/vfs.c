/* The tree's root, and what is there before the first file. */
#include "device.h"
#include "kernel.h"

static struct inode *root;

struct inode *vfs_root(void) {
    return root;
}

void vfs_init(void) {
    root = inode_create(S_IFDIR | 0755, 0);
    if (root == NULL) panic("no memory for the root directory");
    root->links = 2;
    directory_make(root, "bin", S_IFDIR | 0755, 0);
    directory_make(root, "tmp", S_IFDIR | S_ISVTX | 0777, 0);
    devices_init(root);
}
