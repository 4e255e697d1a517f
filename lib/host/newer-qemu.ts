/**
 * A QEMU newer than the stable distribution's, for comparisons of the hypervisor extension: that of Debian 13 with the
 * libraries it was built against, in a folder of its own. It runs with its own loader and touches nothing of the system.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import {
  type DebianPackage,
  type Fetched,
  type FetchOptions,
  unpackDebianPackages,
} from "./debian-packages.ts";

const LIBRARIES = "usr/lib/x86_64-linux-gnu";

/** `qemu-system-riscv` 10.0.13 of Debian 13 (amd64) and its libraries: path below `pool/main/`, SHA-256. */
const PACKAGES: readonly (readonly [file: string, sha256: string])[] = [
  [
    "liba/libaio/libaio1t64_0.3.113-8+b1_amd64.deb",
    "490c8a2d116001a5f3b0a6d7a7aabf6a7b629366590dc5c3f75b078e931dd129",
  ],
  [
    "g/gcc-14/libatomic1_14.2.0-19_amd64.deb",
    "212b399aae2f7299203d261a57e49372e09565a9a5ea971905f94a3960366c05",
  ],
  [
    "u/util-linux/libblkid1_2.41.5-0+deb13u1_amd64.deb",
    "81535f3c2c0efc732965907c8749103a0a26377c761622c9ce39b4c92dcde52f",
  ],
  [
    "libb/libbpf/libbpf1_1.5.0-3_amd64.deb",
    "04c96ead3024888d80d08c8d08cc8cf4589f4614627acc69519f87ffb5adc1c2",
  ],
  [
    "g/glibc/libc6_2.41-12+deb13u5_amd64.deb",
    "b59b0625cd1a791375d40dab23a4d5d3d0641e3d0a773501becdc3725b7f99cf",
  ],
  [
    "libc/libcap2/libcap2_2.75-10+deb13u1+b3_amd64.deb",
    "89fc4d34fc7a28ad6f0fcd0c561ab253b9dedf6f77f5a000b47c276c8295bf67",
  ],
  [
    "c/capstone/libcapstone5_5.0.7-1~deb13u1_amd64.deb",
    "775187a7be26bb0b076d1979a02163b943dbc13eb4adb0efc503223a03c75422",
  ],
  ["n/ndctl/libdaxctl1_81-1_amd64.deb", "6296eb5c976743ba0defb7a061ef081238ca072cf569c6bb96fd3f9095c58a30"],
  [
    "e/elfutils/libelf1t64_0.192-4_amd64.deb",
    "94497b7e17b6f574a0605b380d454e20d3f01a9c63b70c2a2263f679d30053e1",
  ],
  [
    "d/device-tree-compiler/libfdt1_1.7.2-2+b1_amd64.deb",
    "8e37034d7864807ae2063efcc82fc79aad59069546212e6e0908ed67f9f7e107",
  ],
  [
    "libf/libffi/libffi8_3.4.8-2_amd64.deb",
    "0ebdc340de33333639c3c63874cd4b15ac2e83dfa1ef3053b7eefaf4919f4f68",
  ],
  [
    "f/fuse3/libfuse3-4_3.17.2-3_amd64.deb",
    "92e2d521ff872755a13aa69dba7b24025a7dc0f0f5aa708c9a86cd3565f570da",
  ],
  [
    "g/gcc-14/libgcc-s1_14.2.0-19_amd64.deb",
    "3c71917b490d1a17aed43196a2787a256ecf060526cdb20216a74bedc061b150",
  ],
  [
    "g/glib2.0/libglib2.0-0t64_2.84.4-3~deb13u5_amd64.deb",
    "e2baf92c57d1db1753e5781a61450d9a01e7833c7bd2dfe87776a6811c11ecc2",
  ],
  [
    "g/gmp/libgmp10_6.3.0+dfsg-3_amd64.deb",
    "d0d0265eb01770f17afd0f7c8c0622f80479dcfbbe13653a0debeec61464e622",
  ],
  [
    "g/gnutls28/libgnutls30t64_3.8.9-3+deb13u4_amd64.deb",
    "18a8bdfd91c7e3bcb01719d55a2b56849c7160b34f1f52b1c4fdfdd41bf1352b",
  ],
  [
    "n/nettle/libhogweed6t64_3.10.1-1_amd64.deb",
    "b059ed155115ac09da295322de48ee1ed58ef5fa45edcc9e12ff0e94636ef25f",
  ],
  [
    "r/rdma-core/libibverbs1_56.1-1_amd64.deb",
    "4c3b889607586e6328964a5f98e01ef01daa415be24334d743d6654aab4c47a4",
  ],
  [
    "libi/libidn2/libidn2-0_2.3.8-2_amd64.deb",
    "90b039bcdc4578f8e1c4935adf8dbb525e36a164deefdbbb8c45bac347d48278",
  ],
  [
    "libj/libjpeg-turbo/libjpeg62-turbo_2.1.5-4_amd64.deb",
    "5504299ad0e3c0a9ca9f962a68a650a040db52f9f416a109e74df48d55601d3f",
  ],
  ["k/kmod/libkmod2_34.2-2_amd64.deb", "ee6c50ebac79aa9795e8bf9aa01d94c99984d09d22598c66be0f8ba917b62179"],
  [
    "u/util-linux/libmount1_2.41.5-0+deb13u1_amd64.deb",
    "6d00f45f2e80e078e906e3eedecd3ba6913e39fef49bff361ee583f17f00ec05",
  ],
  ["n/ndctl/libndctl6_81-1_amd64.deb", "fe60a05d42e61cb9f49a90b872aa5ca569363b13459ee0d405243c37a7de7c93"],
  [
    "n/nettle/libnettle8t64_3.10.1-1_amd64.deb",
    "1b03d4a9cd9c8143ba50fe6396f36937e901a317d492d179f4596862c1731cfe",
  ],
  [
    "libn/libnl3/libnl-3-200_3.7.0-2_amd64.deb",
    "ce5c153953016be42def7b105f37d55eae07a9608d1dfe6bcb03cc017fc384cb",
  ],
  [
    "libn/libnl3/libnl-route-3-200_3.7.0-2_amd64.deb",
    "1c8c95542688996cff8e954583642b10a3bd78b69954f565fda62144c2bc3897",
  ],
  [
    "n/numactl/libnuma1_2.0.19-1_amd64.deb",
    "e578583f73f8208564e5035b18aa729c441fc7ecb389c666923552e123f4d655",
  ],
  [
    "p/p11-kit/libp11-kit0_0.25.5-3_amd64.deb",
    "784bf2063e166c8bc851a32623b74ebd85c499043a9d57c5bbd64fa63447f45a",
  ],
  [
    "p/pcre2/libpcre2-8-0_10.46-1~deb13u3_amd64.deb",
    "e226f661d918f04daf38cdbc4806b7ed7d6ef95c7eb0ade692fc350e31970040",
  ],
  [
    "p/pixman/libpixman-1-0_0.44.0-3_amd64.deb",
    "3862c87596f6b4b60fc916395fd69aa10af28a875a8e5c081a8cf30ddd120bd6",
  ],
  [
    "p/pmdk/libpmem1_1.13.1-1.1+b1_amd64.deb",
    "7d972d6958e915ce602e4b90debc6b4b91a01dfea1fe003d0b013756e7d9d863",
  ],
  [
    "libp/libpng1.6/libpng16-16t64_1.6.48-1+deb13u6_amd64.deb",
    "0f8034d1c2547760430c81e8d87e5d6acd533a3493c80cf76dbecd0343b6773c",
  ],
  [
    "r/rdma-core/librdmacm1t64_56.1-1_amd64.deb",
    "5b56911725905b8e2a8389c99416ca078395c4ca8ce0d516bc758d5be0134687",
  ],
  [
    "c/cyrus-sasl2/libsasl2-2_2.1.28+dfsg1-9_amd64.deb",
    "66e49d7ae026811b49a0050f18b0325960a2625ffd1ff60d91b7844a815fa9d2",
  ],
  [
    "libs/libseccomp/libseccomp2_2.6.0-2_amd64.deb",
    "89d5138e05fb6a86b9afd8b54dc0fb4b14f4c27c05e6c5f767c2132bdf808531",
  ],
  [
    "libs/libselinux/libselinux1_3.8.1-1_amd64.deb",
    "68bb8d32bd8d6d7d2f5952a169db03d1484b46ae1e52abccdec42a19dccea5d5",
  ],
  [
    "libs/libslirp/libslirp0_4.8.0-1+deb13u1_amd64.deb",
    "6125698173f8be0d0de01ff897a0df3c5e50fb09f70238b26dd6574aaa0934e1",
  ],
  [
    "o/openssl/libssl3t64_3.5.9-1~deb13u1_amd64.deb",
    "ffefb9af363e0e4592251b2533eb06453c8e470f7772e40263c4b2129251a6d5",
  ],
  [
    "libt/libtasn1-6/libtasn1-6_4.20.0-2+deb13u1_amd64.deb",
    "23fec6e06583ce2bad9b2c04c9b485e90440e259b1abf8677cd80d3ce60831ad",
  ],
  [
    "s/systemd/libudev1_257.13-1~deb13u1_amd64.deb",
    "5d41c284f5a93b05bc7d648b61a02dd2bb9ff05b2261ad1a8b7d96044a0cfa88",
  ],
  [
    "libu/libunistring/libunistring5_1.3-2_amd64.deb",
    "6dd3490bef06ea1096f32d10766b7e016cf579bfae8451d1b7df15ce05b8aa46",
  ],
  [
    "libu/liburing/liburing2_2.9-1_amd64.deb",
    "4b589c00c7a51172aace2cb2fb3d3ff32daf86c644023126dcfcaa840cc941ea",
  ],
  [
    "u/util-linux/libuuid1_2.41.5-0+deb13u1_amd64.deb",
    "c1bf4c4c3ff48c57fabf93307dfb56996b60cfa33927afc4158b5db36fb2721e",
  ],
  [
    "v/vdeplug4/libvdeplug2t64_4.0.1-5.1+b1_amd64.deb",
    "01291e2c8e28e91eac6b59c983a3a44e29ad0ddb8622699fbb84cbd5f26334a4",
  ],
  [
    "libz/libzstd/libzstd1_1.5.7+dfsg-1_amd64.deb",
    "2f6a2aeacfc925eba8b00ac9139bc4bfccf8cacb09eb93de067074b26948eef9",
  ],
  [
    "q/qemu/qemu-system-riscv_10.0.13+ds-0+deb13u1_amd64.deb",
    "80effad6aa07c09a7532e1b731c04ec9a32c545c2b9597320ec16ae59d2f34a2",
  ],
  [
    "z/zlib/zlib1g_1.3.dfsg+really1.3.1-1+deb13u1_amd64.deb",
    "8c27c342230503b73dfde629642c3b352e87b554e06d60cf58772f236a305ceb",
  ],
];

/** Starts the program next to it with the loader and the libraries next to it. */
const STARTER = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
QEMU_MODULE_DIR="$here/${LIBRARIES}/qemu"; export QEMU_MODULE_DIR
exec "$here/${LIBRARIES}/ld-linux-x86-64.so.2" --library-path "$here/${LIBRARIES}" "$here/usr/bin/qemu-system-riscv64" -L "$here/usr/share/qemu" "$@"
`;

/** Fetches and unpacks it unless it is there, and gives the path of the program. Only for x86-64 Linux. */
export async function fetchNewerQemu(options: FetchOptions = {}): Promise<Fetched> {
  const packages: DebianPackage[] = PACKAGES.map(([file, sha256]) => ({ file: `pool/main/${file}`, sha256 }));
  const finish = (folder: string): void =>
    writeFileSync(path.join(folder, "qemu-system-riscv64"), STARTER, { mode: 0o755 });
  const fetched = await unpackDebianPackages("newer-qemu", packages, { ...options, finish });
  return fetched.kind === "path"
    ? { ...fetched, path: path.join(fetched.path, "qemu-system-riscv64") }
    : fetched;
}
