;; bltu to a place behind it, add, c.ld, and add with c.ld as a pair. Look how the budget is asked before the slot's op is
;; branched to (with one step left a pair is its first op), how an arrival counts heat, and that each op branches itself.
(module
  (type (;0;) (func (param i32 i32 i32 i32) (result i32 i32)))
  (import "m" "memory" (memory (;0;) 1))
  (func (;0;) (type 0) (param i32 i32 i32 i32) (result i32 i32)
    (local i32 i32 i64 i64 i32 i32 i32 i32 i32 i64 i32 i64)
    (local.set 8
      (i32.shr_u
        (local.get 3)
        (i32.const 1)))
    (local.set 9
      (i32.and
        (local.get 3)
        (i32.const 1)))
    (local.set 7
      (i64.load offset=256
        (local.get 0)))
    (block  ;; label = @1
      (block  ;; label = @2
        (block  ;; label = @3
          (block  ;; label = @4
            (block  ;; label = @5
              (loop  ;; label = @6
                (if  ;; label = @7
                  (i64.ne
                    (i64.load
                      (local.tee 11
                        (i32.add
                          (i32.mul
                            (i32.and
                              (i32.shr_u
                                (i32.wrap_i64
                                  (local.get 7))
                                (i32.const 12))
                              (i32.const FETCH_ENTRIES-1))
                            (i32.const 16))
                          (i32.load offset=fetchBank
                            (local.get 0)))))
                    (i64.and
                      (local.get 7)
                      (i64.const -4095)))
                  (then
                    (local.set 10
                      (i32.const 3))
                    (br 6 (;@1;))))
                (local.set 5
                  (i32.load offset=8
                    (local.get 11)))
                (local.set 6
                  (i64.sub
                    (i64.and
                      (local.get 7)
                      (i64.const -4096))
                    (i64.extend_i32_u
                      (i32.shr_u
                        (local.get 5)
                        (i32.const 2)))))
                (local.set 4
                  (i32.add
                    (local.get 5)
                    (i32.shl
                      (i32.and
                        (i32.wrap_i64
                          (local.get 7))
                        (i32.const 4094))
                      (i32.const 2))))
                (loop  ;; label = @7
                  (if  ;; label = @8
                    (local.get 9)
                    (then
                      (if  ;; label = @9
                        (i32.lt_s
                          (local.tee 12
                            (i32.load offset=HEAT_IN_PAGE
                              (local.tee 11
                                (i32.shr_u
                                  (i32.add
                                    (local.get 4)
                                    (local.get 5))
                                  (i32.const 1)))))
                          (i32.const 1073741824))
                        (then
                          (i32.store offset=HEAT_IN_PAGE
                            (local.get 11)
                            (local.tee 12
                              (i32.add
                                (local.get 12)
                                (i32.const 1))))
                          (if  ;; label = @10
                            (i32.eqz
                              (i32.and
                                (local.get 12)
                                (i32.const 127)))
                            (then
                              (i32.store offset=DATUM
                                (local.get 0)
                                (i32.add
                                  (local.get 11)
                                  (i32.const 16416)))
                              (local.set 10
                                (i32.const 5))
                              (br 8 (;@2;)))))
                        (else
                          (if  ;; label = @10
                            (i32.eqz
                              (i32.and
                                (i32.load offset=MISFIT_CELLS
                                  (i32.shl
                                    (i32.and
                                      (local.get 12)
                                      (i32.const 65535))
                                    (i32.const 2)))
                                (i32.load offset=codeBit
                                  (local.get 0))))
                            (then
                              (i32.store offset=DATUM
                                (local.get 0)
                                (i32.add
                                  (local.get 11)
                                  (i32.const 16416)))
                              (local.set 10
                                (i32.const 6))
                              (br 8 (;@2;))))))))
                  (local.set 9
                    (i32.const 1))
                  (loop  ;; label = @8
                    (block  ;; label = @9
                      (block  ;; label = @10
                        (block  ;; label = @11
                          (block  ;; label = @12
                            (block  ;; label = @13
                              (block  ;; label = @14
                                (block  ;; label = @15
                                  (block  ;; label = @16
                                    (block  ;; label = @17
                                      (local.set 11
                                        (i32.load16_u
                                          (local.get 4)))
                                      (if  ;; label = @18
                                        (i32.lt_s
                                          (local.get 1)
                                          (i32.const 2))
                                        (then
                                          (if  ;; label = @19
                                            (i32.le_s
                                              (local.get 1)
                                              (i32.const 0))
                                            (then
                                              (local.set 10
                                                (i32.const 0))
                                              (br 17 (;@2;))))
                                          (br_table 9 (;@9;) 8 (;@10;) 7 (;@11;) 6 (;@12;) 5 (;@13;) 9 (;@9;) 4 (;@14;) 3 (;@15;) 2 (;@16;) 3 (;@15;) 9 (;@9;)
                                            (local.get 11))))
                                      (br_table 8 (;@9;) 7 (;@10;) 6 (;@11;) 5 (;@12;) 4 (;@13;) 8 (;@9;) 3 (;@14;) 2 (;@15;) 1 (;@16;) 0 (;@17;) 8 (;@9;)
                                        (local.get 11)))
                                    (i64.store
                                      (i32.add
                                        (local.get 0)
                                        (i32.load8_u offset=2
                                          (local.get 4)))
                                      (i64.add
                                        (i64.load
                                          (i32.add
                                            (local.get 0)
                                            (i32.load8_u offset=3
                                              (local.get 4))))
                                        (i64.load
                                          (i32.add
                                            (local.get 0)
                                            (i32.load8_u offset=4
                                              (local.get 4))))))
                                    (if  ;; label = @17
                                      (i64.ne
                                        (i64.load
                                          (local.tee 14
                                            (i32.add
                                              (i32.and
                                                (i32.shr_u
                                                  (i32.wrap_i64
                                                    (local.tee 13
                                                      (i64.add
                                                        (i64.load
                                                          (i32.add
                                                            (local.get 0)
                                                            (i32.load8_u offset=19
                                                              (local.get 4))))
                                                        (i64.load32_s offset=20
                                                          (local.get 4)))))
                                                  (i32.const 8))
                                                (i32.const 65520))
                                              (i32.load offset=dataBank
                                                (local.get 0)))))
                                        (i64.and
                                          (local.get 13)
                                          (i64.const -4089)))
                                      (then
                                        (br_if 12 (;@5;)
                                          (i64.ne
                                            (i64.and
                                              (local.get 13)
                                              (i64.const -4096))
                                            (i64.load
                                              (local.get 14))))
                                        (br_if 12 (;@5;)
                                          (i64.gt_u
                                            (i64.and
                                              (local.get 13)
                                              (i64.const 4095))
                                            (i64.const 4088)))))
                                    (local.set 11
                                      (i32.add
                                        (i32.wrap_i64
                                          (local.get 13))
                                        (i32.load offset=8
                                          (local.get 14))))
                                    (i64.store
                                      (i32.add
                                        (local.get 0)
                                        (i32.load8_u offset=18
                                          (local.get 4)))
                                      (i64.load
                                        (local.get 11)))
                                    (local.set 1
                                      (i32.sub
                                        (local.get 1)
                                        (i32.const 2)))
                                    (local.set 4
                                      (i32.add
                                        (local.get 4)
                                        (i32.const 24)))
                                    (br 8 (;@8;)))
                                  (if  ;; label = @16
                                    (i64.ne
                                      (i64.load
                                        (local.tee 14
                                          (i32.add
                                            (i32.and
                                              (i32.shr_u
                                                (i32.wrap_i64
                                                  (local.tee 13
                                                    (i64.add
                                                      (i64.load
                                                        (i32.add
                                                          (local.get 0)
                                                          (i32.load8_u offset=3
                                                            (local.get 4))))
                                                      (i64.load32_s offset=4
                                                        (local.get 4)))))
                                                (i32.const 8))
                                              (i32.const 65520))
                                            (i32.load offset=dataBank
                                              (local.get 0)))))
                                      (i64.and
                                        (local.get 13)
                                        (i64.const -4089)))
                                    (then
                                      (br_if 13 (;@3;)
                                        (i64.ne
                                          (i64.and
                                            (local.get 13)
                                            (i64.const -4096))
                                          (i64.load
                                            (local.get 14))))
                                      (br_if 13 (;@3;)
                                        (i64.gt_u
                                          (i64.and
                                            (local.get 13)
                                            (i64.const 4095))
                                          (i64.const 4088)))))
                                  (local.set 11
                                    (i32.add
                                      (i32.wrap_i64
                                        (local.get 13))
                                      (i32.load offset=8
                                        (local.get 14))))
                                  (i64.store
                                    (i32.add
                                      (local.get 0)
                                      (i32.load8_u offset=2
                                        (local.get 4)))
                                    (i64.load
                                      (local.get 11)))
                                  (local.set 1
                                    (i32.sub
                                      (local.get 1)
                                      (i32.const 1)))
                                  (local.set 4
                                    (i32.add
                                      (local.get 4)
                                      (i32.const 8)))
                                  (br 7 (;@8;)))
                                (i64.store
                                  (i32.add
                                    (local.get 0)
                                    (i32.load8_u offset=2
                                      (local.get 4)))
                                  (i64.add
                                    (i64.load
                                      (i32.add
                                        (local.get 0)
                                        (i32.load8_u offset=3
                                          (local.get 4))))
                                    (i64.load
                                      (i32.add
                                        (local.get 0)
                                        (i32.load8_u offset=4
                                          (local.get 4))))))
                                (local.set 1
                                  (i32.sub
                                    (local.get 1)
                                    (i32.const 1)))
                                (local.set 4
                                  (i32.add
                                    (local.get 4)
                                    (i32.const 16)))
                                (br 6 (;@8;)))
                              (if  ;; label = @14
                                (i64.lt_u
                                  (i64.load
                                    (i32.add
                                      (local.get 0)
                                      (i32.load8_u offset=3
                                        (local.get 4))))
                                  (i64.load
                                    (i32.add
                                      (local.get 0)
                                      (i32.load8_u offset=2
                                        (local.get 4)))))
                                (then
                                  (local.set 1
                                    (i32.sub
                                      (local.get 1)
                                      (i32.const 1)))
                                  (local.set 4
                                    (i32.add
                                      (local.get 4)
                                      (i32.load offset=4
                                        (local.get 4))))
                                  (br 7 (;@7;))))
                              (local.set 1
                                (i32.sub
                                  (local.get 1)
                                  (i32.const 1)))
                              (local.set 4
                                (i32.add
                                  (local.get 4)
                                  (i32.const 16)))
                              (br 5 (;@8;)))
                            (local.set 15
                              (i64.add
                                (i64.add
                                  (i64.extend_i32_u
                                    (i32.shr_u
                                      (local.get 4)
                                      (i32.const 2)))
                                  (local.get 6))
                                (i64.const 2)))
                            (br_if 9 (;@3;)
                              (i64.ne
                                (i64.load
                                  (local.tee 11
                                    (i32.add
                                      (i32.mul
                                        (i32.and
                                          (i32.shr_u
                                            (i32.wrap_i64
                                              (local.get 15))
                                            (i32.const 12))
                                          (i32.const FETCH_ENTRIES-1))
                                        (i32.const 16))
                                      (i32.load offset=fetchBank
                                        (local.get 0)))))
                                (local.get 15)))
                            (if  ;; label = @13
                              (i32.ne
                                (local.tee 12
                                  (i32.load16_u offset=RAM_OFFSET
                                    (i32.load offset=12
                                      (local.get 11))))
                                (i32.load offset=4
                                  (local.get 4)))
                              (then
                                (i32.store offset=4
                                  (local.get 4)
                                  (local.get 12))
                                (i32.store offset=DATUM
                                  (local.get 0)
                                  (local.get 4))
                                (local.set 10
                                  (i32.const 4))
                                (br 11 (;@2;))))
                            (local.set 4
                              (i32.add
                                (local.get 4)
                                (i32.const 16)))
                            (local.set 6
                              (i64.add
                                (local.get 6)
                                (i64.const -4)))
                            (br 4 (;@8;)))
                          (local.set 1
                            (i32.add
                              (local.get 1)
                              (i32.const -1)))
                          (local.set 4
                            (i32.add
                              (local.get 4)
                              (i32.const 16)))
                          (br 3 (;@8;)))
                        (local.set 1
                          (i32.add
                            (local.get 1)
                            (i32.const -1)))
                        (local.set 4
                          (i32.add
                            (local.get 4)
                            (i32.const 8)))
                        (br 2 (;@8;)))
                      (br 6 (;@3;)))
                    (if  ;; label = @9
                      (i32.ge_u
                        (i32.sub
                          (local.get 4)
                          (local.get 5))
                        (i32.const 16384))
                      (then
                        (local.set 7
                          (i64.add
                            (i64.extend_i32_u
                              (i32.shr_u
                                (local.get 4)
                                (i32.const 2)))
                            (local.get 6)))
                        (local.set 9
                          (i32.const 0))
                        (br 3 (;@6;))))
                    (i32.store offset=DATUM
                      (local.get 0)
                      (local.get 4))
                    (local.set 10
                      (i32.const 4))
                    (br 6 (;@2;)))))
              (unreachable))
            (local.set 4
              (i32.add
                (local.get 4)
                (i32.const 8))))
          (local.set 4
            (i32.add
              (local.get 4)
              (i32.const 8)))
          (local.set 1
            (i32.add
              (local.get 1)
              (i32.const -1))))
        (local.set 10
          (i32.const 2)))
      (local.set 7
        (i64.add
          (i64.extend_i32_u
            (i32.shr_u
              (local.get 4)
              (i32.const 2)))
          (local.get 6))))
    (i64.store offset=256
      (local.get 0)
      (local.get 7))
    (local.get 1)
    (i32.or
      (i32.shl
        (local.get 8)
        (i32.const 4))
      (local.get 10))))
