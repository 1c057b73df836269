const Fuse = require("@bickford/fuse-native")
console.log(typeof Fuse, Fuse.ENOENT)
