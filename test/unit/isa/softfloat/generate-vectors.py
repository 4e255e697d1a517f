"""Writes berkeley-softfloat.txt: what Berkeley SoftFloat 3e computes for operands that are likely to be rounded wrongly.

    pip install softfloatpy==1.2.3.post1
    python generate-vectors.py > berkeley-softfloat.txt

Rounding modes and exception flags have the same numbers in SoftFloat and in RISC-V. Every NaN is written as `nan`: payloads
are RISC-V's own business. Integers that an invalid conversion leaves are written as `-` for the same reason.
"""

import random

import softfloatpy as sf

CASES_PER_MODE = 56
RNG = random.Random(754)
FORMATS = {"f32": (32, 8, sf.Float32), "f64": (64, 11, sf.Float64)}
INTEGERS = {"i32": sf.Int32, "ui32": sf.UInt32, "i64": sf.Int64, "ui64": sf.UInt64}


def interesting_word(name):
    """A word of a format: specials, edges of the exponent range, sparse and dense fractions, and anything."""
    width, exponent_bits, _ = FORMATS[name]
    fraction_bits = width - 1 - exponent_bits
    top = (1 << exponent_bits) - 1
    bias = top >> 1
    exponent = RNG.choice(
        [0, 0, 1, 2, top - 1, top, bias, bias - 1, bias + 1, bias + fraction_bits, bias - fraction_bits]
        + [bias + RNG.randint(-70, 70) for _ in range(6)]
        + [RNG.randint(0, top)]
    )
    exponent = min(max(exponent, 0), top)
    bit = 1 << RNG.randrange(fraction_bits)
    ones = (1 << fraction_bits) - 1
    fraction = RNG.choice([0, 1, ones, ones ^ bit, bit, bit | 1, bit - 1, RNG.getrandbits(fraction_bits)])
    return (RNG.getrandbits(1) << (width - 1)) | (exponent << fraction_bits) | fraction


def neighbour(name, word):
    """The same word with another sign and a change of a few units in the last place."""
    width = FORMATS[name][0]
    changed = (word ^ (RNG.getrandbits(1) << (width - 1))) + RNG.randint(-2, 2)
    return changed & ((1 << width) - 1)


def near_whole(name):
    """A number close to an integer, a half, or a limit of an integer format."""
    bits = RNG.choice([1, 2, 5, 22, 23, 24, 30, 31, 32, 33, 51, 52, 53, 62, 63, 64, 65])
    number = float(RNG.choice([1 << bits, (1 << bits) - 1, RNG.getrandbits(bits)]))
    number = (number + RNG.choice([0, 0.5, 0.25, 0.75, -0.5])) * RNG.choice([1, -1])
    _, _, cls = FORMATS[name]
    return neighbour(name, int.from_bytes(cls.from_float(number).to_bytes(), "big"))


def interesting_integer(name):
    width = int(name.lstrip("ui"))
    bits = RNG.choice([1, 8, 23, 24, 25, 26, 31, 32, 52, 53, 54, 55, 62, 63, 64])
    value = RNG.choice([(1 << bits) - 1, 1 << bits, (1 << bits) + 1, RNG.getrandbits(bits), 3 << max(bits - 2, 0)])
    value &= (1 << width) - 1
    return value - (1 << width) if name[0] == "i" and value >> (width - 1) else value


def number(name, word):
    width, _, cls = FORMATS[name]
    return cls.from_bytes(word.to_bytes(width // 8, "big"))


def text(result):
    if isinstance(result, bool):
        return str(int(result))
    for name, (width, _, cls) in FORMATS.items():
        if isinstance(result, cls):
            return "nan" if result.is_nan() else result.to_bytes().hex()
    return str(result.to_int())


def operands_for(name, count):
    words = [interesting_word(name) for _ in range(count)]
    if count >= 2 and RNG.random() < 0.4:
        words[1] = neighbour(name, words[0])
    if count == 3 and RNG.random() < 0.5:
        # An addend close to the product makes almost everything cancel.
        sf.set_rounding_mode(sf.RoundingMode.MIN_MAG)
        product = getattr(sf, f"{name}_mul")(number(name, words[0]), number(name, words[1]))
        words[2] = neighbour(name, int.from_bytes(product.to_bytes(), "big"))
    return words


def case(mode, function, arguments, written, hide_invalid=False):
    sf.set_rounding_mode(sf.RoundingMode(mode))
    sf.set_exception_flags(0)
    result = function(*arguments)
    flags = int(sf.get_exception_flags())
    shown = "-" if hide_invalid and flags & 16 else text(result)
    print(*written, shown, flags)


def section(name, mode, one_case):
    print(f"= {name} {mode}")
    for _ in range(CASES_PER_MODE):
        one_case()


def float_section(name, operation, count, mode):
    digits = FORMATS[name][0] // 4

    def one_case():
        words = operands_for(name, count)
        arguments = [number(name, word) for word in words]
        case(mode, getattr(sf, f"{name}_{operation}"), arguments, [f"{word:0{digits}x}" for word in words])

    section(f"{name}_{operation}", mode, one_case)


def to_integer_section(name, integer, mode):
    digits = FORMATS[name][0] // 4

    def one_case():
        word = near_whole(name) if RNG.random() < 0.7 else interesting_word(name)
        case(mode, getattr(sf, f"{name}_to_{integer}"), [number(name, word)], [f"{word:0{digits}x}"], True)

    section(f"{name}_to_{integer}", mode, one_case)


def from_integer_section(name, integer, mode):
    def one_case():
        value = interesting_integer(integer)
        case(mode, getattr(sf, f"{integer}_to_{name}"), [INTEGERS[integer].from_int(value)], [value])

    section(f"{integer}_to_{name}", mode, one_case)


def main():
    sf.set_tininess_mode(sf.TininessMode.AFTER_ROUNDING)
    for name in FORMATS:
        for operation in ["eq", "lt", "le"]:
            float_section(name, operation, 2, 0)
        for mode in range(5):
            for operation, count in [("add", 2), ("sub", 2), ("mul", 2), ("div", 2), ("mul_add", 3), ("sqrt", 1)]:
                float_section(name, operation, count, mode)
            float_section(name, "to_f64" if name == "f32" else "to_f32", 1, mode)
            for integer in INTEGERS:
                to_integer_section(name, integer, mode)
                from_integer_section(name, integer, mode)


main()
