/** Emits where the fields of every struct lie, for hand-written TypeScript and for the addon. */
import { abi, camel, structOf } from "./abi.ts"

/** `src/generated/structs.ts`. */
export const structsModule = (): string => {
  const structs = Object.entries(abi.structs).map(([name, { fields, size }]) => {
    const offsets = fields.map((field) => `${camel(field.name)}: ${field.offset}`)
    return `/** \`struct ${name}\`. */\nexport const ${camel(name.replace(/^fuse_/, ""))} = {\n  bytes: ${size},\n  ${offsets.join(",\n  ")}\n} as const\n`
  })
  return `/**
 * Where the fields of the protocol's structs lie: for each struct its size in bytes, then each field's offset;
 * little-endian, naturally aligned. A struct's name is the kernel's without \`fuse_\`, in camelCase.
 *
 * A module that uses them on a hot path takes a copy first (\`const A = { ...attr }\`): V8 looks an imported binding up
 * at each use, and makes a module's own constant part of the machine code.
 */

${structs.join("")}`
}

/** `src/generated/opcodes.ts`. */
export const opcodesModule = (): string => {
  const opcodes = Object.entries(abi.opcodes).map(([name, value]) => `  ${name}: ${value}`)
  return `/** \`enum fuse_opcode\`. */\nexport const opcodes = {\n${opcodes.join(",\n")}\n} as const\n`
}

/** What the addon itself looks at. */
const nativeStructs = [
  "in_header",
  "out_header",
  "write_in",
  "getattr_in",
  "attr",
  "attr_out",
  "entry_out",
  "open_in",
  "open_out",
  "release_in",
  "backing_map",
  "uring_ent_in_out",
  "uring_req_header",
  "uring_cmd_req"
]

/** `native/src/fuse_wire.h`. */
export const nativeHeader = (): string => {
  const structs = nativeStructs.map((name) => {
    const { fields, size } = structOf(name)
    const offsets = fields.map((field) => `constexpr size_t ${field.name} = ${field.offset};`)
    return `// struct fuse_${name}: its size and its fields' offsets, in bytes.\nnamespace ${name} {\nconstexpr size_t bytes = ${size};\n${offsets.join("\n")}\n}\n`
  })
  const opcodes = Object.entries(abi.opcodes).map(
    ([name, value]) => `constexpr uint32_t ${name.replace(/^FUSE_/, "")} = ${value};`
  )
  const ioctls = Object.entries(abi.ioctls).map(
    ([name, { hex }]) => `constexpr unsigned long ${name.replace(/^FUSE_DEV_IOC_/, "")} = ${hex};`
  )
  const commands = Object.entries(abi.uring_cmds).map(
    ([name, value]) => `constexpr uint32_t ${name.replace(/^FUSE_IO_URING_CMD_/, "")} = ${value};`
  )
  return `#pragma once

#include <cstddef>
#include <cstdint>

// Numbers of FUSE ${abi.protocol.major}.${abi.protocol.minor}.
namespace fuse_wire {

// enum fuse_opcode
namespace opcode {
${opcodes.join("\n")}
}

// ioctl(2) requests of /dev/fuse: FUSE_DEV_IOC_*.
namespace ioctl_request {
${ioctls.join("\n")}
}

// enum fuse_uring_cmd: commands of IORING_OP_URING_CMD on /dev/fuse.
namespace uring_command {
${commands.join("\n")}
}

${structs.join("\n")}
}  // namespace fuse_wire
`
}
